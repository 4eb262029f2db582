/*
 * The reimport rules from outside, for tests that compare them with others' reading of ACM's: on
 * each line of stdin two certificates as base64 of DER, what is there and what is to come; for each
 * a line "passed", "unconfirmed" or "broken NAME,NAME...".
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/x509.h"
#include "delivery/import_rules.h"

enum { LINE_BYTES = 65536 };

static void read_facts(const char *text, struct x509_facts *ret_facts)
{
	static unsigned char der[LINE_BYTES];
	struct err err = ERR_INIT;
	size_t len = strlen(text);
	int got = EVP_DecodeBlock(der, (const unsigned char *)text, (int)len);
	if (got < 0 || len < 4) {
		fprintf(stderr, "check_rules: not base64\n");
		exit(2);
	}
	got -= (text[len - 1] == '=') + (text[len - 2] == '=');
	if (x509_facts_from_der(der, (size_t)got, ret_facts, &err) != 0) {
		fprintf(stderr, "check_rules: %s\n", err.text);
		exit(2);
	}
}

static void print_verdict(const struct rule_results *results)
{
	enum rule_verdict verdict = rule_results_verdict(results);
	const char *separator = " ";
	printf("%s", verdict == RULE_PASSED   ? "passed"
		     : verdict == RULE_BROKEN ? "broken"
					      : "unconfirmed");
	for (size_t i = 0; i < results->count; i++) {
		if (results->item[i].verdict != RULE_BROKEN)
			continue;
		printf("%s%s", separator, results->item[i].name);
		separator = ",";
	}
	printf("\n");
}

int main(void)
{
	static char line[LINE_BYTES];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct x509_facts old = {.san = NULL}, new = {.san = NULL};
		struct rule_results results = {.count = 0};
		char *blank = strchr(line, ' ');
		line[strcspn(line, "\n")] = '\0';
		if (blank == NULL)
			return 2;
		*blank = '\0';
		read_facts(line, &old);
		read_facts(blank + 1, &new);
		import_rules_replace(
			&(struct rule_old){.type = "IMPORTED", .status = "ISSUED", .facts = &old},
			&new, &results);
		print_verdict(&results);
		x509_facts_clear(&old);
		x509_facts_clear(&new);
	}
	return 0;
}
