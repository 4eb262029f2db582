/*
 * The arena of secrets. Memory comes in chunks of one size class each, mapped, locked as far as
 * the limits allow, and never given back; within a chunk, blocks are handed out and taken back
 * through a list of free ones per class. A block's class follows from the secret's length, so a
 * block needs no header. Threads may have secrets of their own: the lists are guarded.
 */
#include "base/secret.h"

#include <assert.h>
#include <event2/event.h>
#include <jansson.h>
#include <libxml/xmlmemory.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/json_memory.h"
#include "base/mem.h"
#include "base/mem_wiping.h"

enum {
	BLOCK_MIN = 32,
	CLASSES = 13, /* BLOCK_MIN << 12 holds SECRET_MAX and its NUL */
	CHUNK_BYTES = 65536,
};
static_assert(BLOCK_MIN << (CLASSES - 1) > SECRET_MAX, "the largest class holds any secret");

struct free_block {
	struct free_block *next; /* of the same class; NULL in the last */
};

/* Global because libraries' callbacks and every folder share one arena: a secret has no context
 * to be passed along in. */
static struct free_block *free_blocks[CLASSES];
static pthread_mutex_t free_blocks_mutex = PTHREAD_MUTEX_INITIALIZER;

static int size_class_of(size_t len)
{
	int size_class = 0;
	while (len + 1 > (size_t)BLOCK_MIN << size_class)
		size_class++;
	return size_class;
}

static void give_block(int size_class, void *memory)
{
	struct free_block *block = memory;
	block->next = free_blocks[size_class];
	free_blocks[size_class] = block;
}

static void map_chunk(int size_class)
{
	size_t block_bytes = (size_t)BLOCK_MIN << size_class;
	size_t chunk_bytes = block_bytes > CHUNK_BYTES ? block_bytes : CHUNK_BYTES;
	unsigned char *chunk =
		mmap(NULL, chunk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED) {
		fputs("out of memory for secrets\n", stderr);
		abort();
	}
	/* Best effort both: an old kernel or a small RLIMIT_MEMLOCK does not stop the program; core
	 * dumps are switched off in other ways too. */
	(void)madvise(chunk, chunk_bytes, MADV_DONTDUMP);
	(void)mlock(chunk, chunk_bytes);
	for (size_t at = chunk_bytes; at > 0; at -= block_bytes)
		give_block(size_class, chunk + at - block_bytes);
}

static unsigned char *take_block(int size_class)
{
	pthread_mutex_lock(&free_blocks_mutex);
	if (free_blocks[size_class] == NULL)
		map_chunk(size_class);
	struct free_block *block = free_blocks[size_class];
	free_blocks[size_class] = block->next;
	pthread_mutex_unlock(&free_blocks_mutex);
	return (unsigned char *)block;
}

void secret_set(struct secret *secret, const void *bytes, size_t len)
{
	assert(len <= SECRET_MAX);
	unsigned char *copy = take_block(size_class_of(len));
	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	secret_clear(secret); /* only now: bytes may lie in the old value */
	secret->bytes = copy;
	secret->len = len;
}

void secret_copy(struct secret *to, const struct secret *from)
{
	if (from->bytes == NULL)
		secret_clear(to);
	else
		secret_set(to, from->bytes, from->len);
}

void secret_move(struct secret *to, struct secret *from)
{
	if (to == from)
		return;
	secret_clear(to);
	*to = *from;
	*from = (struct secret)SECRET_INIT;
}

void secret_clear(struct secret *secret)
{
	if (secret->bytes == NULL)
		return;
	int size_class = size_class_of(secret->len);
	mem_wipe(secret->bytes, secret->len);
	pthread_mutex_lock(&free_blocks_mutex);
	give_block(size_class, secret->bytes);
	pthread_mutex_unlock(&free_blocks_mutex);
	*secret = (struct secret)SECRET_INIT;
}

bool secret_is_set(const struct secret *secret)
{
	return secret->bytes != NULL;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	if (a->bytes == NULL || b->bytes == NULL)
		return a->bytes == b->bytes;
	return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

const char *secret_bytes(const struct secret *secret)
{
	return secret->bytes != NULL ? (const char *)secret->bytes : "";
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	void *memory = mem_wiping_alloc(size);
	if (memory == NULL)
		abort(); /* as all of ours */
	return memory;
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_wiping_realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	mem_wiping_free(memory);
}

void secret_process_init(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		abort(); /* fails for a wrong argument only */
	mem_wiping_keep();
	json_set_alloc_funcs(json_memory_alloc, json_memory_free);
	event_set_mem_functions(mem_wiping_alloc, mem_wiping_realloc, mem_wiping_free);
	if (xmlMemSetup(mem_wiping_free, mem_wiping_alloc, mem_wiping_realloc, strdup) != 0 ||
		CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
		fputs("secret_process_init came after the first use of a library\n", stderr);
		abort();
	}
}
