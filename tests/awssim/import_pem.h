/* PEM as ImportCertificate reads it: blocks and white space, nothing else. */
#ifndef TESTS_AWSSIM_IMPORT_PEM_H
#define TESTS_AWSSIM_IMPORT_PEM_H

#include "tests/awssim/util.h"

struct pem_block {
	char label[40];
	bool has_headers; /* "Proc-Type: 4,ENCRYPTED" and the like */
	struct out der;	  /* owned; cleared by the caller */
};

enum pem_result { PEM_BLOCK, PEM_END, PEM_BROKEN };

/* Takes the next block from the front of text; ret_block->der is emptied first. */
enum pem_result pem_next(struct slice *text, struct pem_block *ret_block);

/* Strict base64: the alphabet, padding at the end. False: it is not. Appends to out. */
bool base64_decode(struct slice text, struct out *out);

#endif
