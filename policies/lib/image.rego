# METADATA
# title: References to images
package mergegate.lib.image

# parse splits an image reference: repository, and tag and digest where there are any. Undefined for an empty one
# and for one that something else still fills in, such as ${IMAGE} or ko://.
parse(reference) := object.union_n([{"repository": repository}, optional("tag", tag), optional("digest", digest)]) if {
	is_string(reference)
	regex.match(`^[A-Za-z0-9]`, reference)
	not contains(reference, "://")
	named := cut(reference, "@")
	digest := named[1]
	path := split(named[0], "/")
	last := cut(path[count(path) - 1], ":")
	tag := last[1]
	repository := concat("/", array.concat(array.slice(path, 0, count(path) - 1), [last[0]]))
}

# version reads a tag as a version: its numbers, and its words. "v1.25.3-alpine" is [1, 25, 3] and ["alpine"].
# Undefined for tags that are none; a year or a build number alone is none either.
version(tag) := {"numbers": [major, minor, patch], "words": words} if {
	is_string(tag)
	[[_, first, second, third, rest]] := regex.find_all_string_submatch_n(form, tag, 1)
	plausible(first, second)
	major := number(first)
	minor := number(second)
	patch := number(third)
	words := [word | some word in split(rest, "-"); word != ""]
}

form := `^[vV]?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?((?:-[A-Za-z0-9.+_]+)*)$`

plausible(_, second) if second != ""

plausible(first, "") if count(first) <= 3

# older says whether a version comes before another one.
older(a, b) if a.numbers < b.numbers

older(a, b) if {
	a.numbers == b.numbers
	prerelease(a)
	not prerelease(b)
}

older(a, b) if {
	a.numbers == b.numbers
	prerelease(a)
	prerelease(b)
	rank(a) < rank(b)
}

prerelease(v) if count(rank(v)) > 0

# rank orders pre-releases: alpha.2 < beta.1 < rc.1 < rc.2. It is empty for a release.
rank(v) := [[found[1], number(found[2])] |
	some word in v.words
	some found in regex.find_all_string_submatch_n(`^(alpha|beta|dev|pre|preview|rc|snapshot)[._]?([0-9]{0,9})$`, lower(word), 1)
]

number("") := 0

number(text) := to_number(regex.replace(text, `^0+([0-9])`, "$1")) if text != ""

# cut splits at the first separator.
cut(text, separator) := [substring(text, 0, at), substring(text, at + count(separator), -1)] if {
	at := indexof(text, separator)
	at >= 0
} else := [text, ""]

optional(_, "") := {}

optional(key, value) := {key: value} if value != ""
