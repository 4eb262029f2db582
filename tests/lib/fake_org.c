#include "tests/lib/fake_org.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/lib/fake_call.h"

#define ROOT_ID "r-fake"
#define UNIT_ID "ou-fake-shopshop"

void fake_org_init(struct fake_org *org)
{
	*org = (struct fake_org){.id = "o-fake",
		.region = {"eu-west-1", "us-east-1"},
		.region_count = 2,
		.certificates = 2};
	fake_org_add(org, FAKE_ORG_HUB, "hub")->is_in_unit = false;
}

struct fake_org_account *fake_org_add(struct fake_org *org, const char *id, const char *name)
{
	struct fake_org_account *account = &org->account[org->count++];
	*account = (struct fake_org_account){
		.id = id, .name = name, .state = "ACTIVE", .is_in_unit = true, .certificates = -1};
	return account;
}

void fake_org_remove(struct fake_org *org, const char *id)
{
	for (size_t i = 0; i < org->count; i++) {
		if (strcmp(org->account[i].id, id) != 0)
			continue;
		memmove(&org->account[i], &org->account[i + 1],
			(org->count - i - 1) * sizeof(org->account[0]));
		org->count--;
		return;
	}
}

struct err fake_org_err(enum err_kind kind, const char *code)
{
	struct err err = ERR_INIT;
	(void)err_set(&err, kind, "%s on purpose", code);
	(void)err_set_code(&err, code);
	return err;
}

void fake_org_fail(struct fake_org *org, const char *account_id, const char *region,
	enum err_kind kind, const char *code)
{
	org->fault[org->fault_count++] = (struct fake_org_fault){
		.account_id = account_id, .region = region, .err = fake_org_err(kind, code)};
}

void fake_org_place(struct fake_org *org, struct fake_acm *acm)
{
	org->place[org->place_count++] = acm;
}

static struct fake_acm *find_place(const struct fake_org *org, const struct fake_record *call)
{
	for (size_t i = 0; i < org->place_count; i++)
		if (strcmp(org->place[i]->account_id, call->account) == 0 &&
			strcmp(org->place[i]->region, call->region) == 0)
			return org->place[i];
	return NULL;
}

static const struct fake_org_account *find(const struct fake_org *org, const char *id)
{
	for (size_t i = 0; i < org->count; i++)
		if (strcmp(org->account[i].id, id) == 0)
			return &org->account[i];
	fprintf(stderr, "fake_org: no account %s\n", id);
	abort();
}

static const struct err *find_fault(const struct fake_org *org, const struct fake_record *call)
{
	for (size_t i = 0; i < org->fault_count; i++) {
		const struct fake_org_fault *fault = &org->fault[i];
		if ((fault->account_id == NULL || strcmp(fault->account_id, call->account) == 0) &&
			(fault->region == NULL || strcmp(fault->region, call->region) == 0))
			return &fault->err;
	}
	return NULL;
}

static bool is(const struct fake_record *call, const char *operation)
{
	return strcmp(call->operation, operation) == 0;
}

/* --- the organization -------------------------------------------------------------------------- */

static void add_accounts(const struct fake_org *org, const char *body, struct buf *to)
{
	bool of_unit = strstr(body, UNIT_ID) != NULL;
	const char *comma = "";
	buf_add_text(to, "{\"Accounts\": [");
	for (size_t i = 0; i < org->count; i++) {
		const struct fake_org_account *account = &org->account[i];
		if (account->is_in_unit != of_unit || account->is_unlisted)
			continue;
		buf_addf(to, "%s{\"Id\": \"%s\", \"Name\": \"%s\", \"State\": \"%s\"}", comma,
			account->id, account->name, account->state);
		comma = ", ";
	}
	buf_add_text(to, "]}");
}

/* Returns whether it was one of these. */
static bool answer_organization(
	const struct fake_org *org, const struct fake_record *call, struct buf *to, struct err *err)
{
	if (is(call, "GetCallerIdentity"))
		buf_addf(to,
			"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>%s</Account>"
			"<Arn>arn:aws:iam::%s:user/hub</Arn><UserId>AID</UserId>"
			"</GetCallerIdentityResult></GetCallerIdentityResponse>",
			call->account[0] != '\0' ? call->account : FAKE_ORG_HUB,
			call->account[0] != '\0' ? call->account : FAKE_ORG_HUB);
	else if (is(call, "DescribeOrganization") && org->walk_err.kind != ERR_NONE)
		*err = org->walk_err;
	else if (is(call, "DescribeOrganization"))
		buf_addf(to,
			"{\"Organization\": {\"Id\": \"%s\", \"MasterAccountId\": \"" FAKE_ORG_HUB
			"\"}}",
			org->id);
	else if (is(call, "ListRoots"))
		buf_add_text(to, "{\"Roots\": [{\"Id\": \"" ROOT_ID "\", \"Name\": \"Root\"}]}");
	else if (is(call, "ListOrganizationalUnitsForParent"))
		buf_add_text(to, strstr(call->body, ROOT_ID) != NULL
					 ? "{\"OrganizationalUnits\": [{\"Id\": \"" UNIT_ID
					   "\", \"Name\": \"Shop\"}]}"
					 : "{\"OrganizationalUnits\": []}");
	else if (is(call, "ListAccountsForParent"))
		add_accounts(org, call->body, to);
	else
		return false;
	return true;
}

/* --- one account -------------------------------------------------------------------------------- */

static void add_regions(const struct fake_org *org, struct buf *to)
{
	buf_add_text(to, "{\"Regions\": [");
	for (size_t i = 0; i < org->region_count; i++)
		buf_addf(to, "%s{\"RegionName\": \"%s\", \"RegionOptStatus\": \"%s\"}",
			i > 0 ? ", " : "", org->region[i],
			org->is_disabled[i] ? "DISABLED" : "ENABLED");
	buf_add_text(to, "]}");
}

static void add_ec2_regions(const struct fake_org *org, struct buf *to)
{
	buf_add_text(to, "<DescribeRegionsResponse><regionInfo>");
	for (size_t i = 0; i < org->region_count; i++)
		buf_addf(to,
			"<item><regionName>%s</regionName><optInStatus>%s</optInStatus></item>",
			org->region[i],
			org->is_disabled[i] ? "not-opted-in" : "opt-in-not-required");
	buf_add_text(to, "</regionInfo></DescribeRegionsResponse>");
}

static void add_certificates(
	const struct fake_org *org, const struct fake_record *call, struct buf *to)
{
	int count = find(org, call->account)->certificates;
	buf_add_text(to, "{\"CertificateSummaryList\": [");
	for (int i = 0; i < (count >= 0 ? count : org->certificates); i++)
		buf_addf(to,
			"%s{\"CertificateArn\": \"arn:aws:acm:%s:%s:certificate/c%d\", "
			"\"DomainName\": \"c%d.example.com\", \"Status\": \"PENDING_VALIDATION\", "
			"\"Type\": \"AMAZON_ISSUED\"}",
			i > 0 ? ", " : "", call->region, call->account, i, i);
	buf_add_text(to, "]}");
}

/* The request's ARN, which is the only one in its body. */
static void add_detail(const struct fake_record *call, struct buf *to)
{
	const char *arn = strstr(call->body, "arn:aws:acm:");
	if (arn == NULL)
		abort();
	buf_addf(to,
		"{\"Certificate\": {\"CertificateArn\": \"%.*s\", \"DomainName\": "
		"\"c.example.com\", \"Status\": \"PENDING_VALIDATION\", \"Type\": "
		"\"AMAZON_ISSUED\"}}",
		(int)strcspn(arn, "\""), arn);
}

static bool answer_certificates(
	const struct fake_org *org, const struct fake_record *call, struct buf *to, struct err *err)
{
	const struct err *fault = find_fault(org, call);
	bool is_about_them = strstr(call->operation, "Certificate") != NULL;
	bool is_news = org->refuses_origins != NULL &&
		       strcmp(call->region, org->refuses_origins) == 0 &&
		       strstr(call->body, "CertificateKeyPairOrigins") != NULL;
	struct fake_acm *place = find_place(org, call);
	if (is_about_them && fault != NULL) {
		*err = *fault;
		return true;
	}
	if (is_about_them && place != NULL) {
		char *made = NULL;
		(void)fake_acm_answer(place, call, &made, err);
		if (made != NULL)
			buf_add_text(to, made);
		free(made);
		return true;
	}
	if (is_news)
		*err = fake_org_err(ERR_REFUSED, "ValidationException");
	else if (is(call, "ListCertificates"))
		add_certificates(org, call, to);
	else if (is(call, "DescribeCertificate"))
		add_detail(call, to);
	else if (is(call, "ListTagsForCertificate"))
		buf_add_text(to, "{\"Tags\": []}");
	else if (is(call, "GetCertificate"))
		*err = fake_org_err(ERR_REFUSED, "RequestInProgressException");
	else
		return false;
	return true;
}

static bool answer_account(
	const struct fake_org *org, const struct fake_record *call, struct buf *to, struct err *err)
{
	if (is(call, "ready")) {
		*err = find(org, call->account)->role_err;
		return true;
	}
	if (is(call, "ListRegions") || is(call, "DescribeRegions")) {
		*err = find(org, call->account)->regions_err;
		if (err->kind == ERR_NONE && is(call, "ListRegions"))
			add_regions(org, to);
		else if (err->kind == ERR_NONE)
			add_ec2_regions(org, to);
		return true;
	}
	return answer_certificates(org, call, to, err);
}

static bool answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	const struct fake_org *org = arg;
	struct buf body;
	buf_init(&body, 1 << 20);
	bool is_answered =
		answer_organization(org, call, &body, err) || answer_account(org, call, &body, err);
	if (is_answered && err->kind == ERR_NONE)
		*ret_body = buf_take(&body);
	buf_clear(&body);
	return is_answered;
}

void fake_org_install(struct fake_org *org)
{
	fake_call_set_answerer(answer, org);
}
