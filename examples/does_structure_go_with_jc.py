"""Ask whether the structure goes along with a property, sample by sample."""

from napari_micromap.session import Session

s = Session()
s.restore("films.micromap")
s.tables.add("jc.csv")
s.questions.test("Jc (MA/cm²)")  # predictions of films that were not used in training, against permutations of films
answer = s.questions.answers["Jc (MA/cm²)"]
print(answer.verdict.sentence)
print(answer.verdict.details)
