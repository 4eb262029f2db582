/*
 * A TCP or TLS server on 127.0.0.1 that does what a test's function says, one thread a connection,
 * blocking: misbehaviour is written down in the order in which it happens.
 *
 *   static void serve(struct test_conn *conn, void *arg)
 *   {
 *           while (test_conn_read_request(conn))
 *                   test_conn_reply(conn, 200, "Content-Type: text/plain\r\n", "hello");
 *   }
 *   struct test_server *server = test_server_start(serve, NULL);
 *   ... http://127.0.0.1:<test_server_port(server)>/ ...
 *   test_server_stop(server);        waits for the threads, whose connections it shuts
 *
 * No cmocka assertions in serve: it runs in another thread.
 */
#ifndef TESTS_LIB_TEST_SERVER_H
#define TESTS_LIB_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct test_ca;
struct test_conn;
struct test_server;

typedef void test_serve_fn(struct test_conn *conn, void *arg);

struct test_server *test_server_start(test_serve_fn *serve, void *arg);
/* ca: borrowed; issues the server's certificate for name (or address). serve begins when TLS is up. */
struct test_server *test_server_start_tls(
	test_serve_fn *serve, void *arg, struct test_ca *ca, const char *name);
void test_server_stop(struct test_server *server);
/* The same, but serves its connections to their ends: for clients that have closed theirs. */
void test_server_drain(struct test_server *server);
int test_server_port(const struct test_server *server);
int test_server_connections(struct test_server *server); /* accepted so far */
int test_server_requests(struct test_server *server);	 /* read so far */

/* A socket that listens and whose queue is full: connecting to it hangs. Returns the port. */
struct test_full_server;
struct test_full_server *test_full_server_start(void);
int test_full_server_port(const struct test_full_server *server);
void test_full_server_stop(struct test_full_server *server);

/* 0 for the first connection that the server accepted. */
int test_conn_number(const struct test_conn *conn);

/* Reads one request with its body; false at the end of the connection. */
bool test_conn_read_request(struct test_conn *conn);
const char *test_conn_head(const struct test_conn *conn); /* request line and headers */
const char *test_conn_body(const struct test_conn *conn);
int test_conn_requests(const struct test_conn *conn); /* read on this connection */

bool test_conn_read(struct test_conn *conn, void *bytes, size_t len); /* exactly len */
bool test_conn_write(struct test_conn *conn, const void *bytes, size_t len);
bool test_conn_print(struct test_conn *conn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* headers: each with "\r\n" at its end, or "". Adds Content-Length. */
bool test_conn_reply(struct test_conn *conn, int status, const char *headers, const char *body);

/* Blocks until the client closes or the server is stopped. */
void test_conn_wait_closed(struct test_conn *conn);
/* Closes with a TCP reset, at the end of serve. */
void test_conn_reset(struct test_conn *conn);
/* Copies bytes both ways between the client and 127.0.0.1:port until one side closes. */
void test_conn_relay(struct test_conn *conn, int port);

#endif
