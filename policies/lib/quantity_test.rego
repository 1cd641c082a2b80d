package mergegate.lib.quantity_test

import data.mergegate.lib.quantity

test_parse if {
	every value, want in {
		"0": 0, "1": 1, "1000m": 1, "1500m": 1.5, "100u": 0.0001, "5n": 0.000000005, "0.5": 0.5, ".5": 0.5, "5.": 5,
		"1k": 1000, "1M": 1000000, "2G": 2000000000, "1Ki": 1024, "64Mi": 67108864, "1Gi": 1073741824, "1.5Gi": 1610612736,
		"1E": 1000000000000000000, "1e3": 1000, "1E3": 1000, "12e-1": 1.2, "-1": -1, "+1": 1, "1Ei": 1152921504606846976,
	} {
		quantity.parse(value) == want
	}
}

test_numbers if {
	quantity.parse(2) == 2
	quantity.parse(0.25) == 0.25
}

test_no_quantity if {
	every value in ["", "one", "1 Gi", "1gi", "1K", "1GB", "1e", "1e999", "m", "--1", "1Gi ", "${CPU}", null, true, [], {"a": 1}] {
		not quantity.parse(value)
	}
}
