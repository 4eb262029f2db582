/*
 * Sends mail over SMTP: libcurl in a thread, a connection a message; a flow on the loop. Names are
 * resolved by base/resolve, never by libcurl. With TLS (STARTTLS or from the start) the server's
 * certificate and name are verified, always; one that does not offer STARTTLS is not written to.
 */
#ifndef BASE_MAIL_H
#define BASE_MAIL_H

#include <stddef.h>

struct err;
struct loop;
struct mail;
struct mail_call;
struct resolve;
struct secret;

enum { MAIL_RECIPIENTS_MAX = 32 };

enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN };

/* Borrowed for mail_start. */
struct mail_message {
	const char *host; /* a name or an address without brackets */
	int port;
	enum mail_tls tls;
	const char *ca_bundle; /* PEM file; "": the system's */
	const char *helo;      /* how we name ourselves; letters, digits, '.', '-' */
	const char *user;      /* "": without authentication */
	const struct secret *password;
	const char *from;      /* an address; no control bytes, blanks or angle brackets */
	const char *const *to; /* the same; at least one */
	size_t to_count;
	const char *text; /* header and body (RFC 5322), lines end in CR LF */
	size_t text_len;
	int connect_ms, total_ms; /* above 0; total_ms counts everything */
};

/*
 * err  NULL: the server has taken it over. Else begins with "smtp://host:port":
 *      ERR_UNREACHABLE  no name, no connection, no (trusted) TLS, or it broke
 *      ERR_TIMEOUT      not done in time
 *      ERR_DENIED       user or password refused
 *      ERR_REFUSED      the server said no for good (5xx); its code is in the text
 *      ERR_SERVICE      the server said not now (4xx)
 *      ERR_PROTOCOL     not SMTP
 *      ERR_CONFIG       CA bundle unreadable, or none on this host
 *      ERR_SYSTEM       no thread can be had
 */
typedef void mail_done_fn(void *arg, const struct err *err);

struct mail *mail_new(struct loop *loop, struct resolve *resolve, struct err *err); /* ERR_SYSTEM */
void mail_free(struct mail *mail); /* all calls must have ended; not from a done; NULL is fine */

struct mail_call *mail_start(
	struct mail *mail, const struct mail_message *message, mail_done_fn *done, void *arg);
void mail_cancel(struct mail_call *call);

#endif
