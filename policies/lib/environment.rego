# METADATA
# title: Which environment an application is in
package mergegate.lib.environment

# production says whether the application's environment is a productive one: one of the words of its name
# says so, and none says that it only resembles one (pre-prod, non-production).
default production := false

production if productive(data.mergegate.application.environment)

productive(name) if {
	words := {word | some word in regex.split(`[^a-z]+`, lower(name))}
	count(words & {"prod", "production", "prd", "live"}) > 0
	count(words & {"non", "no", "not", "pre", "before"}) == 0
}
