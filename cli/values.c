/* What the words for values in the tables of commands mean (see values.h). */
#include "cli/values.h"

#include <string.h>

static const struct {
	const char *name;
	enum value_kind kind;
	const char *words;
} known[] = {
	{"ACCOUNT", VALUE_ACCOUNTS, NULL},
	{"ALERT", VALUE_ALERTS, NULL},
	{"ARN", VALUE_ARNS, NULL},
	{"CHANNEL", VALUE_CHANNELS, NULL},
	{"CLASS", VALUE_WORDS, "notice warning critical emergency"},
	{"COMMAND", VALUE_COMMANDS, NULL},
	{"CONNECTOR", VALUE_CONNECTORS, NULL},
	{"DATA_DIR", VALUE_FILES, NULL},
	{"DN", VALUE_FREE, NULL},
	{"DOMAIN", VALUE_DOMAINS, NULL},
	{"FIELD", VALUE_WORDS, "expires domain account region status type first_seen arn"},
	{"FILE", VALUE_FILES, NULL},
	{"FINGERPRINT", VALUE_FREE, NULL},
	{"FORMAT", VALUE_WORDS, "table wide json csv"},
	{"HEX", VALUE_FREE, NULL},
	{"HOST", VALUE_FREE, NULL},
	{"ID", VALUE_FREE, NULL},
	{"JOB", VALUE_JOBS, NULL},
	{"KEY", VALUE_FREE, NULL},
	{"KEY_TYPE", VALUE_WORDS, "rsa2048 rsa3072 rsa4096 ec256 ec384"},
	{"KIND", VALUE_WORDS, "certificate coverage connector job identity"},
	{"LEVEL", VALUE_WORDS, "error warning info debug default"},
	{"N", VALUE_FREE, NULL},
	{"PATH", VALUE_FILES, NULL},
	{"PLAN", VALUE_PLANS, NULL},
	{"REGION", VALUE_REGIONS, NULL},
	{"REQUEST", VALUE_REQUESTS, NULL},
	{"SERIAL", VALUE_FREE, NULL},
	{"STATE", VALUE_WORDS,
		"never_tried ok role_unassumable denied denied_by_scp region_disabled throttled "
		"unreachable failed account_inactive excluded"},
	{"STATUS", VALUE_WORDS,
		"ISSUED EXPIRED PENDING_VALIDATION INACTIVE VALIDATION_TIMED_OUT REVOKED FAILED"},
	{"TEXT", VALUE_FREE, NULL},
	{"TIME", VALUE_FREE, NULL},
	{"TYPE", VALUE_WORDS, "IMPORTED AMAZON_ISSUED PRIVATE"},
	{"WHEN", VALUE_FREE, NULL},
};

static struct value find(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) != len || memcmp(known[i].name, word, len) != 0)
			continue;
		const char *words = known[i].words != NULL ? known[i].words : "";
		return (struct value){known[i].kind, true, words, strlen(words)};
	}
	return (struct value){VALUE_FREE, false, "", 0};
}

bool value_next(const char **at, struct value *ret_value)
{
	const char *word = *at + strspn(*at, "[|");
	size_t len = strcspn(word, "[]|=.: ");
	if (len == 0)
		return false;
	*at = word + strcspn(word, "| ");
	/* A word in lower case stands for itself. */
	if (word[0] >= 'a' && word[0] <= 'z')
		*ret_value = (struct value){VALUE_WORDS, true, word, len};
	else
		*ret_value = find(word, len);
	return true;
}
