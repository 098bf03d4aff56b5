/*
 * What an enrolment's certificate work costs besides the private key: microseconds of CPU for reading a request, verifying it,
 * reading the signer's certificate and building the new one. bench_cert [SECONDS per line, default 0.5]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gnutls/x509.h>

#include "base/file.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/der.h"
#include "pki/name.h"

static struct buf request_der, cert_der;
static struct key *ca_key;
static struct csr *request;
static struct cert_spec spec;
static const struct key_limits limits = {2048, 8192};

static void must(enum err err, const struct why *why)
{
	if (err == ERR_OK)
		return;
	fprintf(stderr, "%s\n", why->text);
	exit(1);
}

static void parse_csr(void)
{
	struct csr *csr;
	struct why why;

	must(csr_parse(buf_bytes(&request_der), &csr, &why), &why);
	csr_free(csr);
}

static void verify_csr(void)
{
	struct why why;

	must(csr_verify(request, &limits, NULL, NULL, &why), &why);
}

static void import_key(void)
{
	struct pubkey *pub;
	struct why why;

	must(pubkey_import(request->spki, &limits, &pub, &why), &why);
	pubkey_free(pub);
}

static void parse_cert(void)
{
	struct cert *cert;
	struct why why;

	must(cert_parse(buf_bytes(&cert_der), &cert, &why), &why);
	cert_free(cert);
}

static void text_of_name(void)
{
	struct buf text = {0};
	struct why why;

	must(name_text(request->subject, &text, &why), &why);
	buf_free(&text);
}

static void sign_only(void)
{
	struct buf signature = {0};
	struct why why;

	must(key_sign(ca_key, spec.digest, request->info, &signature, &why), &why);
	buf_free(&signature);
}

static void build_cert(void)
{
	struct buf der = {0};
	struct why why;

	must(cert_build(&spec, ca_key, &der, &why), &why);
	buf_free(&der);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cost(void (*work)(void), double seconds)
{
	double start = now_us(), used;
	long n = 0;

	do {
		for (int i = 0; i < 50; i++, n++)
			work();
		used = now_us() - start;
	} while (used < seconds * 1e6);
	return used / (double)n;
}

/* The request of a device (RSA-2048) and the CA (P-256, whose signature is cheap beside what is measured). */
static void prepare(void)
{
	static const char *const eku[] = {"1.3.6.1.5.5.7.3.2", NULL};
	static struct buf ca_name, san;
	struct why why;
	size_t at = der_open(&san);

	must(file_read(TEST_DATA "/good/csr/strongswan-pki.der", &request_der, &why), &why);
	must(csr_parse(buf_bytes(&request_der), &request, &why), &why);
	must(key_generate("ec:p256", &ca_key, &why), &why);
	must(name_parse("CN=Issuing CA,O=Example,C=DE", &ca_name, &why), &why);
	must(san_parse("dns:device.example", &san, &why), &why);
	der_close(&san, at, DER_SEQUENCE);
	spec = (struct cert_spec){
	    .serial = BYTES_LIT("\1" "23456789abcdef"),
	    .issuer = buf_bytes(&ca_name),
	    .subject = request->subject,
	    .not_before = 1735689600,
	    .not_after = 1767225600,
	    .spki = request->spki,
	    .key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT,
	    .eku = eku,
	    .san = buf_bytes(&san),
	    .authority_key_id = BYTES_LIT("01234567890123456789"),
	    .digest = digest_row(DIGEST_SHA256),
	};
	must(cert_build(&spec, ca_key, &cert_der, &why), &why);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5, build, sign;

	prepare();
	printf("csr_parse                    %8.2f us\n", cost(parse_csr, seconds));
	printf("csr_verify (RSA-2048)        %8.2f us\n", cost(verify_csr, seconds));
	printf("pubkey_import                %8.2f us\n", cost(import_key, seconds));
	printf("cert_parse                   %8.2f us\n", cost(parse_cert, seconds));
	printf("name_text                    %8.2f us\n", cost(text_of_name, seconds));
	build = cost(build_cert, seconds);
	sign = cost(sign_only, seconds);
	printf("cert_build (P-256 CA)        %8.2f us, of which the signature %.2f us\n", build, sign);
	printf("cert_build without signature %8.2f us\n", build - sign);
	csr_free(request);
	key_free(ca_key);
	buf_free(&request_der);
	buf_free(&cert_der);
	return 0;
}
