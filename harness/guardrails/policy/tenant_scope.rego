# Data of the caller's own tenant only.
# data.config.tenant_tools: tools that work on tenants' data, and so must name the tenant.
package harness.tenant_scope

import rego.v1

default allow := false

needs_tenant if input.tool in data.config.tenant_tools

every_tenant_is_the_caller_s if {
	every tenant in input.tenants {
		tenant == input.tenant
	}
}

allow if {
	input.tenant != ""
	every_tenant_is_the_caller_s
	not needs_tenant
}

allow if {
	input.tenant != ""
	every_tenant_is_the_caller_s
	needs_tenant
	count(input.tenants) > 0
}
