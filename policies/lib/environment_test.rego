package mergegate.lib.environment_test

import data.mergegate.lib.environment

test_productive if {
	every name in ["production", "prod", "Production", "prod-eu", "eu-prod-1", "prd", "live", "shop_production"] {
		environment.productive(name)
	}
}

test_not_productive if {
	every name in ["", "staging", "dev", "pre-prod", "preprod", "non-production", "nonprod", "not-prod", "product-test", "reproduction"] {
		not environment.productive(name)
	}
}

test_of_the_application if {
	environment.production with data.mergegate.application as {"environment": "prod-eu"}
	not environment.production with data.mergegate.application as {"environment": "staging"}
	not environment.production with data.mergegate.application as {"environment": ""}
}
