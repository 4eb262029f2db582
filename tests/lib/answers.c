#include "tests/lib/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/read_file.h"

struct aws_reply answer_text(enum aws_protocol protocol, const char *text)
{
	struct aws_reply reply = {.json = NULL};
	struct err err = ERR_INIT;
	if (aws_reply_read(protocol, text, strlen(text), NULL, &reply, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return reply;
}

struct aws_reply answer_file(enum aws_protocol protocol, const char *file)
{
	size_t len;
	char *text = read_data("answers", file, "", &len);
	struct aws_reply reply = answer_text(protocol, text);
	free(text);
	return reply;
}

void answer_check_cuts(enum aws_protocol protocol, const char *file)
{
	size_t len;
	char *text = read_data("answers", file, "", &len);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	for (size_t cut = 1; cut < len; cut++) {
		char *part = xmalloc(cut); /* exactly, so that reading on is seen */
		memcpy(part, text, cut);
		struct aws_reply reply;
		struct err err = ERR_INIT;
		if (aws_reply_read(protocol, part, cut, NULL, &reply, &err) == 0)
			fail_msg("%s cut to %zu bytes was read", file, cut);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		free(part);
	}
	free(text);
}

void answer_check_refused(enum aws_protocol protocol, const char *text, answer_take_fn *take)
{
	struct aws_reply reply = answer_text(protocol, text);
	struct err err = ERR_INIT;
	if (take(&reply, &err) != -1)
		fail_msg("%s was taken", text);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	aws_reply_clear(&reply);
}

struct types {
	const struct aws_reply *reply;
	answer_take_fn *take;
	size_t refused;
	int depth;
};

static void check(struct types *types)
{
	struct err err = ERR_INIT;
	if (types->take(types->reply, &err) == 0) {
		assert_int_equal(err.kind, ERR_NONE);
		return;
	}
	assert_true(err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
	assert_true(err.text[0] != '\0');
	types->refused++;
}

enum { REPLACEMENTS = 9 };

static json_t *replacement(int i)
{
	switch (i) {
	case 0:
		return json_null();
	case 1:
		return json_true();
	case 2:
		return json_integer(-1);
	case 3:
		return json_real(1e300);
	case 4:
		return json_string("");
	case 5: {
		size_t len = 3 << 20;
		char *text = xmalloc(len);
		memset(text, 'x', len);
		json_t *json = json_stringn(text, len);
		free(text);
		return json;
	}
	case 6:
		return json_array();
	case 7:
		return json_pack("[[], {}, n, s]", "x");
	default:
		return json_object();
	}
}

/* Recursion is bounded by our own test data. */
static void check_below(struct types *types, json_t *parent)
{
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(parent, next, key, value)
	{
		json_incref(value);
		for (int i = 0; i < REPLACEMENTS; i++) {
			json_object_set_new(parent, key, replacement(i));
			check(types);
		}
		json_object_set_new(parent, key, value);
		check_below(types, value);
	}
	for (size_t at = 0; at < json_array_size(parent); at++) {
		value = json_incref(json_array_get(parent, at));
		for (int i = 0; i < REPLACEMENTS; i++) {
			json_array_set_new(parent, at, replacement(i));
			check(types);
		}
		json_array_set_new(parent, at, value);
		check_below(types, value);
	}
}

size_t answer_check_types(const char *file, answer_take_fn *take)
{
	struct aws_reply reply = answer_file(AWS_JSON_1_1, file);
	struct types types = {.reply = &reply, .take = take};
	check_below(&types, reply.json);
	aws_reply_clear(&reply);
	return types.refused;
}
