# No e-mail, URL or host outside the house's own domains, anywhere in the arguments.
# data.config.internal_domains: the domains, without a leading dot; their subdomains are inside too.
package harness.no_external

import rego.v1

default allow := false

allow if {
	every address in input.addresses {
		some domain in address.domains
		domain in data.config.internal_domains
	}
}
