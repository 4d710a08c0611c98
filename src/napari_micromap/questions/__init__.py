"""What can be asked of a map: a property, regions, groups, places, how far the map can be trusted.

`inquiry` asks about a property, `scanning` where on the map it differs, `locating` where in pictures it shows,
`reliability` whether another seed makes the same map. `comparing` sets two groups side by side by what `counting`
measured in their pictures; `resembling` finds who is typical, who looks alike and who is like no other. What takes
long is work.
"""
