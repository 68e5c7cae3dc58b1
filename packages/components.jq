# Keeps only the components that a program is built from: $tree has a line NAME@VERSION for each.
($tree | split("\n") | map({ (.): true }) | add) as $used
| [.components[] | select($used["\(.name)@\(.version)"])] as $kept
| ([.metadata.component, $kept[]] | map({ (."bom-ref"): true }) | add) as $refs
| del(.serialNumber)
| .components = $kept
| .dependencies |= [.[] | select($refs[.ref]) | if .dependsOn then .dependsOn |= map(select($refs[.])) else . end]
