#include "base/log_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct log_ring ring;

static int set_up(void **state)
{
	(void)state;
	ring.begin = ring.len = 0;
	return 0;
}

static void add(int number, size_t len)
{
	char line[256];
	int head = snprintf(line, sizeof(line), "%d ", number);
	memset(line + head, 'x', len - (size_t)head);
	line[len - 1] = '\n';
	log_ring_add(&ring, line, len);
}

static void lines_come_back_in_order(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, LOG_RING_BYTES);
	log_ring_copy(&ring, &text);
	assert_string_equal(buf_text(&text), "");
	log_ring_add(&ring, "a\n", 2);
	log_ring_add(&ring, "b\n", 2);
	log_ring_copy(&ring, &text);
	assert_string_equal(buf_text(&text), "a\nb\n");
	buf_clear(&text);
}

/* Whole lines, the newest ones without a gap, and as many as fit. */
static void assert_newest(int last)
{
	struct buf text;
	int number, expected = last, count = 0;
	buf_init(&text, LOG_RING_BYTES);
	log_ring_copy(&ring, &text);
	assert_true(text.len > LOG_RING_BYTES - 256);
	const char *line = buf_text(&text);
	assert_int_equal(sscanf(line, "%d x", &number), 1);
	for (expected = number; *line != '\0'; expected++, count++) {
		assert_int_equal(sscanf(line, "%d x", &number), 1);
		assert_int_equal(number, expected);
		line = strchr(line, '\n') + 1;
	}
	assert_int_equal(expected, last + 1);
	buf_clear(&text);
}

static void the_oldest_lines_make_room(void **state)
{
	(void)state;
	for (int i = 1000; i < 4000; i++) {
		add(i, 80 + (size_t)i % 150);
		if (i > 2000)
			assert_newest(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_come_back_in_order, set_up),
		cmocka_unit_test_setup(the_oldest_lines_make_room, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
