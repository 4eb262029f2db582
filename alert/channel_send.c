/*
 * Sending one message: prepared at the start, sent by http, mail or child, or written to the
 * journal; each has one wait.
 */
#include "alert/channel_send.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/message.h"
#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"
#include "base/http.h"
#include "base/http_url.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

enum {
	SECRET_FILE_MAX = 4096,
	BODY_MAX = 1 << 20,
	REPLY_MAX = 65536,
	WORD_MAX = 64, /* of an answer that is shown */
	HOST_KEY_MAX = 300,
	SUBMISSION_PORT = 587,
	SUBMISSIONS_PORT = 465,
	SMTP_PORT = 25,
	PORT_MAX = 65535,
	CONNECT_MS = 10000,
};

struct channel_send {
	const struct channel_ways *ways; /* borrowed */
	enum channel_type type;
	struct alert_channel channel; /* owned copy */
	struct buf body;	      /* owned */
	struct secret secret;	      /* owned; the URL or the password */
	struct http_route route;
	struct http_timeouts timeouts;
	struct http_header header[2];
	struct http_call *http; /* owned until it answers, as are these */
	struct mail_call *mail;
	struct child *child;
	struct loop_timer *timer; /* the journal's end, and failures at the beginning */
	struct err err;		  /* of the beginning */
	channel_done_fn *done;
	void *arg;
};

/* --- the end ---------------------------------------------------------------------------------- */

static void destroy(struct channel_send *send)
{
	http_cancel(send->http);
	mail_cancel(send->mail);
	child_cancel(send->child);
	loop_timer_cancel(send->timer);
	alert_channel_clear(&send->channel);
	buf_clear(&send->body);
	secret_clear(&send->secret);
	free(send);
}

static void finish(struct channel_send *send, const char *said, struct err *err)
{
	if (err != NULL)
		(void)err_wrap(err, "%s", channel_type_name(send->type));
	send->done(send->arg, err == NULL ? said : NULL, err);
	destroy(send);
}

/* --- secrets in files ------------------------------------------------------------------------- */

/* Whoever reads a webhook's URL may write there, and whoever writes the file gets what is told. */
static int open_secret(const char *file, int *ret_fd, struct err *err)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set_errno(err, ERR_CONFIG, "%s", file);
	int rc = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(err, ERR_CONFIG, "%s: not a regular file", file);
	else if ((st.st_mode & S_IRWXO) != 0)
		rc = err_set(err, ERR_CONFIG,
			"%s: it holds a secret and is open to everybody (mode %04o); expected "
			"chmod o-rwx",
			file, (unsigned)(st.st_mode & 07777));
	if (rc == 0)
		*ret_fd = fd;
	else
		close(fd);
	return rc;
}

/* The first line, without blanks around it. */
static int read_secret(const char *file, struct secret *ret, struct err *err)
{
	char bytes[SECRET_FILE_MAX];
	int fd = -1;
	if (open_secret(file, &fd, err) != 0)
		return -1;
	ssize_t got = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (got < 0 || (size_t)got == sizeof(bytes)) {
		explicit_bzero(bytes, sizeof(bytes));
		return err_set(err, ERR_CONFIG,
			"%s: expected a file with one line of at most %d bytes", file,
			SECRET_FILE_MAX - 1);
	}
	size_t begin = 0, end = 0;
	while (end < (size_t)got && bytes[end] != '\n' && bytes[end] != '\0')
		end++;
	while (begin < end && (bytes[begin] == ' ' || bytes[begin] == '\t'))
		begin++;
	while (end > begin && strchr(" \t\r", bytes[end - 1]) != NULL)
		end--;
	if (end > begin)
		secret_set(ret, bytes + begin, end - begin);
	explicit_bzero(bytes, sizeof(bytes));
	return end > begin ? 0 : err_set(err, ERR_CONFIG, "%s: its first line is empty", file);
}

/* --- webhook ---------------------------------------------------------------------------------- */

static int make_request(void *arg, struct http_request *ret_request, struct err *err)
{
	struct channel_send *send = arg;
	(void)err;
	send->header[0] = (struct http_header){"Content-Type", "application/json"};
	send->header[1] = (struct http_header){"User-Agent", "acmsensor/" ACMSENSOR_VERSION};
	*ret_request = (struct http_request){.method = "POST",
		.url = secret_bytes(&send->secret),
		.header = send->header,
		.header_count = 2,
		.body = send->body.data,
		.body_len = send->body.len,
		.reply_max_bytes = REPLY_MAX,
		.is_secret = true, /* it may repeat the URL */
		.route = &send->route,
		.timeouts = &send->timeouts};
	return 0;
}

/* An answer such as "invalid_payload" says what is wrong; anything else may repeat the URL. */
static const char *word_of(const struct channel_send *send, const struct http_reply *reply)
{
	const char *text = buf_text(&reply->body);
	bool is_word = reply->body.len > 0 && reply->body.len <= WORD_MAX &&
		       text[strspn(text, "abcdefghijklmnopqrstuvwxyz_ ")] == '\0';
	return is_word && strstr(secret_bytes(&send->secret), text) == NULL ? text : "";
}

static void on_reply(void *arg, const struct http_reply *reply, const struct err *http_err)
{
	struct channel_send *send = arg;
	struct err err = http_err != NULL ? *http_err : (struct err)ERR_INIT;
	char said[32];
	send->http = NULL;
	if (http_err != NULL) {
		finish(send, NULL, &err);
		return;
	}
	if (reply->status / 100 == 2) {
		(void)snprintf(said, sizeof(said), "HTTP %d", reply->status);
		finish(send, said, NULL);
		return;
	}
	bool is_for_now = reply->status == 429 || reply->status / 100 == 5;
	const char *word = word_of(send, reply);
	(void)err_set(&err, is_for_now ? ERR_SERVICE : ERR_REFUSED,
		"the receiver answered HTTP %d%s%s", reply->status, word[0] != '\0' ? ": " : "",
		word);
	finish(send, NULL, &err);
}

static int start_webhook(struct channel_send *send, const struct message *message, struct err *err)
{
	struct http_target target;
	struct err hidden = ERR_INIT; /* its text shows the URL */
	char key[HOST_KEY_MAX];
	int total_ms = (int)(send->channel.timeout_s * 1000);
	if (read_secret(send->channel.url_file, &send->secret, err) != 0)
		return -1;
	if (http_target_parse(secret_bytes(&send->secret), &target, &hidden) != 0)
		return err_set(err, ERR_CONFIG,
			"%s: expected a URL such as https://host/path, without user and password",
			send->channel.url_file);
	if (send->channel.shape == CHANNEL_JSON)
		message_json(message, &send->body);
	else if (send->channel.shape == CHANNEL_SLACK)
		message_slack(message, &send->body);
	else
		message_teams(message, &send->body);
	send->route = (struct http_route){.proxy = send->channel.proxy,
		.no_proxy = send->channel.no_proxy,
		.ca_bundle = send->channel.ca_bundle};
	send->timeouts =
		(struct http_timeouts){.connect_ms = CONNECT_MS < total_ms ? CONNECT_MS : total_ms,
			.first_byte_ms = total_ms,
			.stall_ms = total_ms,
			.total_ms = total_ms};
	(void)snprintf(key, sizeof(key), "%s://%s:%d", target.is_tls ? "https" : "http",
		target.name, target.port);
	send->http = http_start(send->ways->http, key, make_request, on_reply, send);
	return 0;
}

/* --- mail ------------------------------------------------------------------------------------- */

static void on_mailed(void *arg, const struct err *mail_err)
{
	struct channel_send *send = arg;
	struct err err = mail_err != NULL ? *mail_err : (struct err)ERR_INIT;
	send->mail = NULL;
	finish(send, "taken over by the mail server", mail_err != NULL ? &err : NULL);
}

static int start_mail(struct channel_send *send, const struct message *message, struct err *err)
{
	const struct alert_channel *channel = &send->channel;
	char host[HTTP_NAME_MAX], helo[HTTP_NAME_MAX];
	int port = channel->tls == MAIL_STARTTLS ? SUBMISSION_PORT
		   : channel->tls == MAIL_TLS	 ? SUBMISSIONS_PORT
						 : SMTP_PORT;
	int total_ms = (int)(channel->timeout_s * 1000);
	struct buf to;
	if (channel_server_parse(channel->server, port, host, sizeof(host), &port, err) != 0)
		return -1;
	if (channel->user[0] != '\0' &&
		read_secret(channel->password_file, &send->secret, err) != 0)
		return -1;
	(void)text_copy(helo, sizeof(helo), send->ways->sensor); /* 64 at most */
	for (char *at = strchr(helo, '_'); at != NULL; at = strchr(at, '_'))
		*at = '-'; /* no letter of a host's name */
	buf_init(&to, BODY_MAX);
	for (size_t i = 0; i < channel->to_count; i++)
		buf_addf(&to, "%s%s", i > 0 ? ",\r\n " : "", channel->to[i]);
	message_mail(message, channel->from, buf_text(&to), &send->body);
	buf_clear(&to);
	send->mail = mail_start(send->ways->mail,
		&(struct mail_message){.host = host,
			.port = port,
			.tls = channel->tls,
			.ca_bundle = channel->ca_bundle,
			.helo = helo,
			.user = channel->user,
			.password = &send->secret,
			.from = channel->from,
			.to = (const char *const *)channel->to,
			.to_count = channel->to_count,
			.text = buf_text(&send->body),
			.text_len = send->body.len,
			.connect_ms = CONNECT_MS < total_ms ? CONNECT_MS : total_ms,
			.total_ms = total_ms},
		on_mailed, send);
	return 0;
}

/* --- command ---------------------------------------------------------------------------------- */

static void on_child(void *arg, const struct child_result *result, const struct err *child_err)
{
	struct channel_send *send = arg;
	struct err err = child_err != NULL ? *child_err : (struct err)ERR_INIT;
	struct buf said;
	send->child = NULL;
	if (child_err != NULL) {
		finish(send, NULL, &err);
		return;
	}
	if (result->exit_code == 0) {
		finish(send, "exit code 0", NULL);
		return;
	}
	buf_init(&said, 4 * CHILD_SAID_MAX + 1);
	text_escape_line(&said, result->said, strlen(result->said), CHILD_SAID_MAX);
	(void)err_set(&err, ERR_SERVICE, "%s: exit code %d%s%s", send->channel.command,
		result->exit_code, said.len > 0 ? ": " : "", buf_text(&said));
	buf_clear(&said);
	finish(send, NULL, &err);
}

static void start_command(struct channel_send *send, const struct message *message)
{
	char class[64], count[64];
	(void)snprintf(class, sizeof(class), "ACMSENSOR_CLASS=%s",
		alert_class_name(message_worst(message)));
	(void)snprintf(count, sizeof(count), "ACMSENSOR_COUNT=%" PRId64, message_total(message));
	const char *const argv[] = {send->channel.command, NULL};
	const char *const envp[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", class, count, NULL};
	message_json(message, &send->body);
	buf_add_char(&send->body, '\n');
	send->child = child_start(send->ways->loop,
		&(struct child_options){.argv = argv,
			.envp = envp,
			.input = buf_text(&send->body),
			.input_len = send->body.len,
			.timeout_ms = send->channel.timeout_s * 1000},
		on_child, send);
}

/* --- journal ---------------------------------------------------------------------------------- */

static void on_prepared(void *arg)
{
	struct channel_send *send = arg;
	send->timer = NULL;
	finish(send, "written", send->err.kind != ERR_NONE ? &send->err : NULL);
}

static void write_line(struct channel_send *send, const struct message_item *item)
{
	struct buf line, text;
	buf_init(&line, BODY_MAX);
	buf_init(&text, BODY_MAX);
	text_escape(&text, item->text, strlen(item->text), ALERT_TEXT_MAX);
	buf_addf(&line, "alert %s class=%s id=%s subject=\"%s\" %s=\"%s\"",
		alert_kind_name(item->kind),
		item->is_resolved ? "resolved" : alert_class_name(item->class), item->id,
		item->subject, item->is_resolved ? "reason" : "text", buf_text(&text));
	send->ways->journal(
		send->ways->arg, item->is_resolved ? ALERT_NOTICE : item->class, buf_text(&line));
	buf_clear(&line);
	buf_clear(&text);
}

static void write_journal(struct channel_send *send, const struct message *message)
{
	struct buf line;
	buf_init(&line, BODY_MAX);
	for (size_t i = 0; i < message->item_count; i++)
		write_line(send, &message->item[i]);
	if (message->is_test || message_total(message) > (int64_t)message->item_count) {
		buf_add_text(&line, "alert summary text=\"");
		message_headline(message, &line);
		buf_add_char(&line, '"');
		send->ways->journal(send->ways->arg, message_worst(message), buf_text(&line));
	}
	buf_clear(&line);
	send->timer = loop_timer_start(send->ways->loop, 0, on_prepared, send);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static int begin(struct channel_send *send, const struct message *message, struct err *err)
{
	switch (send->type) {
	case CHANNEL_WEBHOOK:
		return start_webhook(send, message, err);
	case CHANNEL_MAIL:
		return start_mail(send, message, err);
	case CHANNEL_COMMAND:
		start_command(send, message);
		break;
	case CHANNEL_JOURNAL:
		write_journal(send, message);
		break;
	}
	return 0;
}

struct channel_send *channel_send_start(const struct channel_ways *ways,
	const struct alert_channel *channel, const struct message *message, channel_done_fn *done,
	void *arg)
{
	struct channel_send *send = xcalloc(1, sizeof(*send));
	send->ways = ways;
	send->type = channel->type;
	send->done = done;
	send->arg = arg;
	alert_channel_copy(&send->channel, channel);
	buf_init(&send->body, BODY_MAX);
	if (begin(send, message, &send->err) != 0)
		send->timer = loop_timer_start(ways->loop, 0, on_prepared, send);
	return send;
}

void channel_send_cancel(struct channel_send *send)
{
	if (send != NULL)
		destroy(send);
}
