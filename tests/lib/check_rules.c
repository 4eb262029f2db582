/*
 * What delivery/import_rules.c foresees of certificates, for tests/e2e/test_rules.py:
 *
 *   check_rules                   pairs: the certificate that is there, the one to replace it
 *   check_rules --import NOW_S    a leaf and its chain each, imported as new at that time
 *
 * Reads PEM from standard input, a line "=" after each group, and prints a line of JSON for each:
 * {"verdict": "passed", "rules": [{"name": ..., "verdict": ..., "text": ...}]}. Exit 2: input that
 * cannot be read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/text.h"
#include "delivery/import_rules.h"

enum { INPUT_MAX = 64 << 20, GROUP_MAX = 16, CODE_FAILED = 2 };

static const char *const verdict_name[] = {
	[RULE_PASSED] = "passed", [RULE_BROKEN] = "broken", [RULE_UNCONFIRMED] = "unconfirmed"};

struct group {
	struct x509_facts facts[GROUP_MAX];
	size_t count;
};

static void read_input(struct buf *input)
{
	ssize_t len;
	char *room;
	enum { STEP = 65536 };
	while ((room = buf_room(input, STEP)) != NULL && (len = read(STDIN_FILENO, room, STEP)) > 0)
		buf_advance(input, (size_t)len);
}

static int read_group(const char *at, const char *end, struct group *group, struct err *err)
{
	unsigned char *der;
	size_t len;
	int rc;
	group->count = 0;
	while ((rc = x509_pem_next(&at, end, &der, &len, err)) == 1 && group->count < GROUP_MAX) {
		group->facts[group->count] = (struct x509_facts){.serial = ""};
		rc = x509_facts_from_der(der, len, &group->facts[group->count], err);
		free(der);
		if (rc != 0)
			return -1;
		group->count++;
	}
	return rc;
}

static void print(const struct rule_results *results)
{
	struct buf line;
	struct json_writer writer;
	buf_init(&line, INPUT_MAX);
	json_writer_init(&writer, &line, false);
	json_open_object(&writer);
	json_member_text(&writer, "verdict", verdict_name[rule_results_verdict(results)]);
	json_key(&writer, "rules");
	json_open_array(&writer);
	for (size_t i = 0; i < results->count; i++) {
		json_open_object(&writer);
		json_member_text(&writer, "name", results->item[i].name);
		json_member_text(&writer, "verdict", verdict_name[results->item[i].verdict]);
		json_member_text(&writer, "text", results->item[i].text);
		json_close_object(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	puts(buf_text(&line));
	buf_clear(&line);
}

static int judge(struct group *group, int64_t now_s, struct err *err)
{
	struct rule_results results = {.count = 0};
	const struct x509_facts *chain[GROUP_MAX];
	if (group->count < (now_s == 0 ? 2 : 1))
		return err_set(err, ERR_CONFIG, "%zu certificates in a group", group->count);
	for (size_t i = 1; i < group->count; i++)
		chain[i - 1] = &group->facts[i];
	if (now_s != 0)
		import_rules_new(&group->facts[0], chain, group->count - 1, now_s, &results);
	else
		import_rules_replace(
			&(struct rule_old){
				.type = "IMPORTED", .status = "ISSUED", .facts = &group->facts[0]},
			&group->facts[1], &results);
	print(&results);
	return 0;
}

static int judge_all(const char *at, const char *end, int64_t now_s, struct err *err)
{
	static const char mark[] = "\n=\n";
	int rc = 0;
	while (rc == 0 && at < end) {
		struct group group;
		const char *next = strstr(at, mark);
		rc = read_group(at, next != NULL ? next + 1 : end, &group, err);
		if (rc == 0)
			rc = judge(&group, now_s, err);
		for (size_t i = 0; i < group.count; i++)
			x509_facts_clear(&group.facts[i]);
		at = next != NULL ? next + strlen(mark) : end;
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct buf input;
	int64_t now_s = 0;
	bool is_import = argc == 3 && strcmp(argv[1], "--import") == 0;
	if (argc != (is_import ? 3 : 1)) {
		fprintf(stderr, "usage: check_rules [--import NOW_S]\n");
		return CODE_FAILED;
	}
	buf_init(&input, INPUT_MAX);
	int rc = is_import ? text_parse_int(argv[2], 1, INT64_MAX, &now_s, &err) : 0;
	if (rc == 0) {
		read_input(&input);
		const char *text = buf_text(&input);
		rc = judge_all(text, text + input.len, now_s, &err);
	}
	buf_clear(&input);
	if (rc != 0)
		fprintf(stderr, "check_rules: %s\n", err.text);
	return rc == 0 ? 0 : CODE_FAILED;
}
