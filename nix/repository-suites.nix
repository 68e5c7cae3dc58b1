# Suites that read the repository itself, not only fixtures: a check of their own, so that an edit of a document does
# not make a package again.
[
  "./docs"
  "./tidy"
]
