/* Answers of AWS from tests/data/answers, whole, cut, and with members of wrong types. */
#ifndef TESTS_LIB_ANSWERS_H
#define TESTS_LIB_ANSWERS_H

#include <stddef.h>

#include "aws/reply.h"

struct err;

/* Parsed; a text that does not parse fails the program. Clear it with aws_reply_clear. */
struct aws_reply answer_text(enum aws_protocol protocol, const char *text);
struct aws_reply answer_file(enum aws_protocol protocol, const char *file);

/* Every proper prefix of the file must be refused when it is read. */
void answer_check_cuts(enum aws_protocol protocol, const char *file);

/* take clears what it took. */
typedef int answer_take_fn(const struct aws_reply *reply, struct err *err);

/* The text parses, and take must refuse it as ERR_PROTOCOL. */
void answer_check_refused(enum aws_protocol protocol, const char *text, answer_take_fn *take);

/*
 * Calls take with the JSON file's document after each of its members and items was replaced by
 * null, a bool, numbers, a text, a very long text, an array and an object in turn. Each refusal must
 * have a kind and a text. Returns how many were refused.
 */
size_t answer_check_types(const char *file, answer_take_fn *take);

#endif
