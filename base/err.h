/*
 * The one error type. Kind is for code (retry, coverage state, exit code), code is the machine's
 * word of whoever refused (an AWS error code), text is for people.
 *
 * A function that can fail returns 0 or -1 (constructors: NULL) and takes `struct err *err` last.
 * err is never NULL, is set on every failure and is untouched on success.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum {
	ERR_TEXT_MAX = 640, /* holds an AWS denial, which names the principal, action and policy */
	ERR_CODE_MAX = 64,
};

enum err_kind {
	ERR_NONE = 0,
	ERR_CONFIG,	   /* configuration, arguments: a person must change something */
	ERR_SYSTEM,	   /* a system call failed on this host */
	ERR_LIMIT,	   /* outsiders sent more than we accept */
	ERR_PROTOCOL,	   /* an answer that is not what the API promises */
	ERR_UNREACHABLE,   /* no name, no connection, no TLS: nothing was answered */
	ERR_TIMEOUT,	   /* connected, but no (complete) answer in time */
	ERR_THROTTLED,	   /* asked to slow down, still after all retries */
	ERR_DENIED,	   /* understood and refused: permissions */
	ERR_DENIED_BY_SCP, /* refused by a policy of the organization: no role can change that */
	ERR_ROLE,	   /* AssumeRole refused: role, trust and permission look alike */
	ERR_CREDENTIALS,   /* the credentials themselves are unknown, expired or missing */
	ERR_NOT_FOUND,	   /* the named thing does not exist */
	ERR_REFUSED,	   /* any other 4xx: the request was wrong for the service */
	ERR_SERVICE,	   /* 5xx: the service failed */
	ERR_STORE,	   /* the store is damaged, locked or of another version */
	ERR_STORE_FULL,	   /* no space for the store */
	ERR_STOPPED,	   /* given up because the program or a parent is stopping */
};

struct err {
	enum err_kind kind;
	char code[ERR_CODE_MAX];
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.kind = ERR_NONE                                                                   \
	}

/* Sets kind and text, empties code. Returns -1. Text that does not fit is cut with "...". */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int err_vset(struct err *err, enum err_kind kind, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* As err_set, then appends ": " and the text of errno (saved on entry). */
int err_set_errno(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text; kind and code stay. Returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies code (cut to fit, bytes outside [A-Za-z0-9_.-] become '?'). Returns -1. */
int err_set_code(struct err *err, const char *code);

/* The kind's name in lower case ("denied_by_scp"), for logs and JSON; shared static. */
const char *err_kind_name(enum err_kind kind);

#endif
