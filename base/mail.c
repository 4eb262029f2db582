/*
 * Mail over SMTP.
 *
 *   start -> WAIT_NAME -> WAIT_SERVER -> done
 *
 * In WAIT_SERVER libcurl has a thread: it blocks when it takes its leave of an SMTP server (QUIT),
 * for as long as that one likes. A call is aborted by shutting its connections, after which the
 * thread ends at once; the whole is bounded by a timer of the loop.
 */
#include "base/mail.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/curl_internal.h"
#include "base/err.h"
#include "base/host.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/secret.h"
#include "base/worker.h"

#define SET(option, value) curl_check(curl_easy_setopt(easy, (option), (value)))

enum {
	SMTP_FINAL = 5,
	URL_MAX = 1024,
	SOCKETS_MAX = 8, /* at a time; libcurl tries an address of each family side by side */
};

enum mail_state { WAIT_NAME, WAIT_SERVER };

struct mail_call {
	struct mail *mail; /* borrowed */
	enum mail_state state;
	char *host, *ca_bundle; /* owned */
	int port, connect_ms, total_ms;
	char *text; /* owned */
	size_t text_len, sent;
	CURL *easy;			   /* owned */
	struct curl_slist *to;		   /* owned */
	struct curl_slist *address;	   /* owned; NULL for a literal */
	struct resolve_call *resolve_call; /* owned; WAIT_NAME */
	struct loop_timer *timer;	   /* owned; the whole */
	struct worker *worker;		   /* owned; WAIT_SERVER */
	pthread_mutex_t mutex;
	int fd[SOCKETS_MAX]; /* guarded by it; the first fd_count are open */
	size_t fd_count;     /* guarded by it */
	bool is_aborted;     /* guarded by it */
	/* The thread's until it has ended. */
	CURLcode code;
	long answer; /* the server's last */
	char error[CURL_ERROR_SIZE];
	mail_done_fn *done;
	void *arg;
};

struct mail {
	struct resolve *resolve; /* borrowed */
	struct loop *loop;	 /* borrowed */
	int call_count;
};

/* The thread does not wait for the server any more. */
static void abort_transfer(struct mail_call *call)
{
	pthread_mutex_lock(&call->mutex);
	call->is_aborted = true;
	for (size_t i = 0; i < call->fd_count; i++)
		(void)shutdown(call->fd[i], SHUT_RDWR); /* it may be broken already */
	pthread_mutex_unlock(&call->mutex);
}

static void destroy(struct mail_call *call)
{
	loop_timer_cancel(call->timer);
	resolve_cancel(call->resolve_call);
	abort_transfer(call);
	worker_free(call->worker);
	curl_easy_cleanup(call->easy);
	pthread_mutex_destroy(&call->mutex);
	call->mail->call_count--;
	curl_slist_free_all(call->to);
	curl_slist_free_all(call->address);
	free(call->host);
	free(call->ca_bundle);
	free(call->text);
	free(call);
}

static void finish(struct mail_call *call, struct err *err)
{
	if (err != NULL)
		(void)err_wrap(err, "smtp://%s:%d", call->host, call->port);
	call->done(call->arg, err);
	destroy(call);
}

/* --- what a failed transfer means ------------------------------------------------------------- */

/* libcurl has the same code for a refusal at the greeting or the end, and for nonsense. */
static void set_answer_err(struct mail_call *call, CURLcode curl_code, struct err *err)
{
	long code = call->answer;
	if (code < 400 && curl_code == CURLE_WEIRD_SERVER_REPLY)
		(void)err_set(err, ERR_PROTOCOL, "the answer is not SMTP: %s", call->error);
	else if (code < 400)
		(void)err_set(err, ERR_UNREACHABLE, "the connection broke: %s", call->error);
	else
		(void)err_set(err, code / 100 == SMTP_FINAL ? ERR_REFUSED : ERR_SERVICE,
			"the server answered %ld: %s", code, call->error);
}

static void set_time_over(struct mail_call *call, struct err *err)
{
	(void)err_set(err, ERR_TIMEOUT, "not taken over within %d ms: waited for %s",
		call->total_ms, call->state == WAIT_NAME ? "its address" : "the server");
}

static void set_transfer_err(struct mail_call *call, struct err *err)
{
	CURLcode code = call->code;
	if (call->error[0] == '\0')
		(void)snprintf(call->error, sizeof(call->error), "%s", curl_easy_strerror(code));
	/* CURLcode grows with each libcurl; what is not named here is what the server answered. */
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		(void)err_set(err, ERR_TIMEOUT, "no connection and greeting within %d ms",
			call->connect_ms);
		break;
	case CURLE_LOGIN_DENIED:
		(void)err_set(err, ERR_DENIED, "user or password refused: %s", call->error);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		(void)err_set(err, ERR_CONFIG,
			"the CA bundle %s cannot be read, or holds no certificate",
			call->ca_bundle);
		break;
	case CURLE_USE_SSL_FAILED:
		(void)err_set(err, ERR_UNREACHABLE, "the server offers no STARTTLS");
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		(void)err_set(err, ERR_UNREACHABLE, "no TLS connection: %s", call->error);
		break;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)err_set(err, ERR_UNREACHABLE, "no connection: %s", call->error);
		break;
	default:
		set_answer_err(call, code, err);
		break;
	}
}

/* --- the transfer ----------------------------------------------------------------------------- */

static size_t give_text(char *to, size_t size, size_t count, void *arg)
{
	struct mail_call *call = arg;
	size_t left = call->text_len - call->sent, room = size * count;
	size_t len = left < room ? left : room;
	memcpy(to, call->text + call->sent, len);
	call->sent += len;
	return len;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes, (void)arg;
	return size * count;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct mail_call *call = arg;
	(void)purpose;
	pthread_mutex_lock(&call->mutex);
	bool may_open = !call->is_aborted && call->fd_count < SOCKETS_MAX;
	int fd = may_open ? socket(address->family, address->socktype | SOCK_CLOEXEC,
				    address->protocol)
			  : -1;
	if (fd >= 0)
		call->fd[call->fd_count++] = fd;
	pthread_mutex_unlock(&call->mutex);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The number may be another file's at once. */
static int close_socket(void *arg, curl_socket_t fd)
{
	struct mail_call *call = arg;
	pthread_mutex_lock(&call->mutex);
	for (size_t i = 0; i < call->fd_count; i++)
		if (call->fd[i] == fd)
			call->fd[i] = call->fd[--call->fd_count];
	pthread_mutex_unlock(&call->mutex);
	return close(fd);
}

/* A name that CURLOPT_RESOLVE does not tell must not be looked up: nobody could end that. */
static int before_lookup(void *state, void *reserved, void *arg)
{
	(void)state, (void)reserved;
	const struct mail_call *call = arg;
	return call->address == NULL ? 0 : 1;
}

static void set_url(struct mail_call *call, const struct mail_message *message)
{
	CURL *easy = call->easy;
	bool is_ipv6 = strchr(message->host, ':') != NULL;
	char url[URL_MAX];
	(void)snprintf(url, sizeof(url), "%s://%s%s%s:%d/%s",
		message->tls == MAIL_TLS ? "smtps" : "smtp", is_ipv6 ? "[" : "", message->host,
		is_ipv6 ? "]" : "", message->port, message->helo);
	SET(CURLOPT_URL, url);
}

static void set_credentials(CURL *easy, const struct mail_message *message)
{
	if (message->user[0] == '\0')
		return;
	SET(CURLOPT_USERNAME, message->user);
	SET(CURLOPT_PASSWORD, secret_bytes(message->password));
	SET(CURLOPT_SASL_IR, 1L);
}

static void set_envelope(struct mail_call *call, const struct mail_message *message)
{
	CURL *easy = call->easy;
	struct buf address;
	buf_init(&address, SIZE_MAX - 1);
	buf_addf(&address, "<%s>", message->from);
	SET(CURLOPT_MAIL_FROM, buf_text(&address));
	for (size_t i = 0; i < message->to_count; i++) {
		buf_reset(&address);
		buf_addf(&address, "<%s>", message->to[i]);
		call->to = curl_slist_append(call->to, buf_text(&address));
	}
	SET(CURLOPT_MAIL_RCPT, call->to);
	buf_clear(&address);
}

static void prepare(struct mail_call *call, const struct mail_message *message)
{
	CURL *easy = call->easy = curl_easy_init();
	if (easy == NULL)
		abort(); /* fails for lack of memory only */
	curl_set_sockets(easy);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, call);
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, call);
	set_url(call, message);
	set_envelope(call, message);
	set_credentials(easy, message);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, give_text);
	SET(CURLOPT_READDATA, call);
	SET(CURLOPT_WRITEFUNCTION, drop_answer);
	SET(CURLOPT_RESOLVER_START_FUNCTION, before_lookup);
	SET(CURLOPT_RESOLVER_START_DATA, call);
	SET(CURLOPT_ERRORBUFFER, call->error);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)message->connect_ms);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
	if (message->tls == MAIL_PLAIN)
		return;
	SET(CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl_set_tls(easy, call->ca_bundle);
}

static void on_transferred(void *arg)
{
	struct mail_call *call = arg;
	struct err err = ERR_INIT;
	if (call->code == CURLE_OK) {
		finish(call, NULL);
		return;
	}
	if (call->timer == NULL)
		set_time_over(call, &err);
	else
		set_transfer_err(call, &err);
	finish(call, &err);
}

/* In the thread. */
static void transfer(void *arg)
{
	struct mail_call *call = arg;
	call->code = curl_easy_perform(call->easy);
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->answer);
	curl_easy_cleanup(call->easy); /* takes its leave */
	call->easy = NULL;
}

static void begin_transfer(struct mail_call *call)
{
	CURL *easy = call->easy;
	struct err err = ERR_INIT;
	call->state = WAIT_SERVER;
	if (call->address != NULL)
		SET(CURLOPT_RESOLVE, call->address);
	call->worker = worker_new(call->mail->loop, &err);
	if (call->worker != NULL)
		worker_start(call->worker, transfer, on_transferred, call);
	else
		finish(call, &err);
}

static void on_name(void *arg, const char *addresses, const struct err *resolve_err)
{
	struct mail_call *call = arg;
	call->resolve_call = NULL;
	if (resolve_err != NULL) {
		struct err err = *resolve_err;
		finish(call, &err);
		return;
	}
	if (!host_is_address(call->host)) {
		char *entry = xasprintf("%s:%d:%s", call->host, call->port, addresses);
		call->address = curl_slist_append(NULL, entry);
		free(entry);
	}
	begin_transfer(call);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void on_time_over(void *arg)
{
	struct mail_call *call = arg;
	struct err err = ERR_INIT;
	call->timer = NULL;
	if (call->state == WAIT_SERVER) {
		abort_transfer(call); /* its end follows */
		return;
	}
	set_time_over(call, &err);
	finish(call, &err);
}

static void on_no_ca(void *arg)
{
	struct mail_call *call = arg;
	struct err err = ERR_INIT;
	call->timer = NULL;
	(void)err_set(
		&err, ERR_CONFIG, "this host has no CA bundle in a usual place: set ca_bundle");
	finish(call, &err);
}

struct mail_call *mail_start(
	struct mail *mail, const struct mail_message *message, mail_done_fn *done, void *arg)
{
	struct mail_call *call = xcalloc(1, sizeof(*call));
	const char *ca_bundle =
		message->ca_bundle[0] != '\0' ? message->ca_bundle : curl_ca_bundle();
	*call = (struct mail_call){.mail = mail,
		.state = WAIT_NAME,
		.host = xstrdup(message->host),
		.ca_bundle = xstrdup(ca_bundle != NULL ? ca_bundle : ""),
		.port = message->port,
		.connect_ms = message->connect_ms,
		.total_ms = message->total_ms,
		.text = xstrndup(message->text, message->text_len),
		.text_len = message->text_len,
		.done = done,
		.arg = arg};
	pthread_mutex_init(&call->mutex, NULL);
	mail->call_count++;
	prepare(call, message);
	if (message->tls != MAIL_PLAIN && call->ca_bundle[0] == '\0') {
		call->timer = loop_timer_start(mail->loop, 0, on_no_ca, call);
		return call;
	}
	call->timer = loop_timer_start(mail->loop, call->total_ms, on_time_over, call);
	call->resolve_call = resolve_start(mail->resolve, call->host, on_name, call);
	return call;
}

void mail_cancel(struct mail_call *call)
{
	if (call != NULL)
		destroy(call);
}

struct mail *mail_new(struct loop *loop, struct resolve *resolve, struct err *err)
{
	if (curl_begin(err) != 0)
		return NULL;
	struct mail *mail = xcalloc(1, sizeof(*mail));
	*mail = (struct mail){.loop = loop, .resolve = resolve};
	return mail;
}

void mail_free(struct mail *mail)
{
	if (mail == NULL)
		return;
	assert(mail->call_count == 0);
	curl_end();
	free(mail);
}
