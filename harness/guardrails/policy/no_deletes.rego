# Nothing is deleted: no tool that deletes by its name, and no command that deletes in any argument.
package harness.no_deletes

import rego.v1

default allow := false

deleting := {
	"delete", "deletes", "del", "remove", "removes", "rm", "rmdir", "unlink", "erase", "wipe", "purge", "drop",
	"rmtree", "truncate", "destroy", "discard", "trash", "shred", "clear", "expunge", "uninstall", "unset",
}

# "delete_user", "GitHubDeleteRepository", "users.remove".
found contains word if {
	some word in input.tool_words
	word in deleting
}

# "DELETE FROM users", "ls; rm -rf /", {"method": "DELETE"}.
found contains word if {
	some word in input.verbs
	word in deleting
}

# {"delete": true}.
found contains word if {
	some word in input.keys
	word in deleting
}

allow if count(found) == 0
