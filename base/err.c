/*
 * Errors by value: a kind for code, a text for people. Text is made in a buffer of its own first,
 * so that the old text may be an argument of the new one.
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int err_vset(struct err *err, enum err_kind kind, const char *format, va_list args)
{
	char text[ERR_TEXT_MAX + 1]; /* one more than fits, so that a cut is seen */
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	err->kind = kind;
	err->code[0] = '\0';
	text_shorten(err->text, sizeof(err->text), text);
	return -1;
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err_vset(err, kind, format, args);
	va_end(args);
	return -1;
}

int err_set_errno(struct err *err, enum err_kind kind, const char *format, ...)
{
	int number = errno;
	va_list args;
	va_start(args, format);
	err_vset(err, kind, format, args);
	va_end(args);

	const char *reason = strerrordesc_np(number);
	char text[ERR_TEXT_MAX + 128];
	if (reason != NULL)
		snprintf(text, sizeof(text), "%s: %s", err->text, reason);
	else
		snprintf(text, sizeof(text), "%s: errno %d", err->text, number);
	text_shorten(err->text, sizeof(err->text), text);
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	char context[ERR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	if (vsnprintf(context, sizeof(context), format, args) < 0)
		context[0] = '\0';
	va_end(args);

	char text[2 * ERR_TEXT_MAX + 2];
	snprintf(text, sizeof(text), "%s: %s", context, err->text);
	text_shorten(err->text, sizeof(err->text), text);
	return -1;
}

static bool is_code_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

int err_set_code(struct err *err, const char *code)
{
	char copy[ERR_CODE_MAX];
	size_t len = 0;
	for (; len < sizeof(copy) - 1 && code[len] != '\0'; len++)
		copy[len] = is_code_char(code[len]) ? code[len] : '?';
	copy[len] = '\0';
	memcpy(err->code, copy, len + 1);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_CONFIG:
		return "config";
	case ERR_SYSTEM:
		return "system";
	case ERR_LIMIT:
		return "limit";
	case ERR_PROTOCOL:
		return "protocol";
	case ERR_UNREACHABLE:
		return "unreachable";
	case ERR_TIMEOUT:
		return "timeout";
	case ERR_THROTTLED:
		return "throttled";
	case ERR_ROLE:
		return "role";
	case ERR_DENIED:
		return "denied";
	case ERR_DENIED_BY_SCP:
		return "denied_by_scp";
	case ERR_CREDENTIALS:
		return "credentials";
	case ERR_NOT_FOUND:
		return "not_found";
	case ERR_REFUSED:
		return "refused";
	case ERR_SERVICE:
		return "service";
	case ERR_STORE:
		return "store";
	case ERR_STORE_FULL:
		return "store_full";
	case ERR_STOPPED:
		return "stopped";
	}
	return "unknown";
}
