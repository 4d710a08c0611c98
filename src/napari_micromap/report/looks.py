"""How the report looks on screen and paper."""

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #222; font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; } h2 { font-size: 18px; margin: 36px 0 10px; }
h3 { font-size: 15px; margin: 18px 0 8px; } .faint, figcaption { color: #5a5a5a; font-size: 13px; }
.verdict { border-left: 5px solid #777; background: #f6f6f6; padding: 14px 18px; margin: 22px 0; }
.verdict p { margin: 0 0 6px; } .sentence { font-size: 18px; line-height: 1.45; }
.real { border-color: #1b7f4d; } .confounded, .one_sample { border-color: #c0003c; }
.nuisance, .per_image { border-color: #d58a00; }
figure { margin: 0 0 12px; } figure img { max-width: 100%; height: auto; display: block; }
.row { display: flex; flex-wrap: wrap; gap: 14px 22px; align-items: flex-start; }
.small { width: 184px; } .small img { width: 184px; } .missing { height: 90px; background: #eee; text-align: center; }
.pair { display: flex; gap: 6px; padding: 6px; border: 1px solid #ddd; }
table { border-collapse: collapse; font-size: 13px; margin: 6px 0; }
th, td { text-align: left; vertical-align: top; padding: 3px 16px 3px 0; border-bottom: 1px solid #e4e4e4; }
td { overflow-wrap: anywhere; } pre { background: #f6f6f6; padding: 12px; font-size: 12.5px; white-space: pre-wrap; }
details { margin: 18px 0; } summary { cursor: pointer; }
.appendix { color: #444; border-top: 1px solid #bbb; margin-top: 40px; }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  main { max-width: none; padding: 0; } body { font-size: 10pt; } h2 { margin-top: 6mm; }
  .small, .small img { width: 42mm; } .row { gap: 3mm 4mm; } .pair { gap: 1mm; padding: 1mm; }
  figure, tr, .pair, .verdict { break-inside: avoid; } h2, h3, tr:first-child { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
