# Only tools on the list: data.config.allowed_tools.
package harness.listed_tools

import rego.v1

default allow := false

allow if input.tool in data.config.allowed_tools
