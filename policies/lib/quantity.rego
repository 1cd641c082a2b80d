# METADATA
# title: Quantities of Kubernetes
# related_resources:
# - https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
package mergegate.lib.quantity

# parse gives a quantity as a number: "1500m" is 1.5, "1Gi" is 1073741824. Undefined for what is none.
parse(value) := value if is_number(value)

parse(value) := scaled(number, suffix) if {
	is_string(value)
	[[_, number, suffix]] := regex.find_all_string_submatch_n(form, value, 1)
}

form := `^([+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20}))([eE][+-]?[0-9]{1,2}|[KMGTPE]i|[numkMGTPE]|)$`

scaled(number, suffix) := to_number(number) * multiples[suffix]

scaled(number, suffix) := to_number(number) / fractions[suffix]

scaled(number, suffix) := to_number(concat("", [number, suffix])) if regex.match(`^[eE][+-]?[0-9]+$`, suffix)

multiples := {
	"": 1,
	"k": 1000, "M": 1000000, "G": 1000000000, "T": 1000000000000, "P": 1000000000000000, "E": 1000000000000000000,
	"Ki": 1024, "Mi": 1048576, "Gi": 1073741824, "Ti": 1099511627776, "Pi": 1125899906842624, "Ei": 1152921504606846976,
}

fractions := {"m": 1000, "u": 1000000, "n": 1000000000}
