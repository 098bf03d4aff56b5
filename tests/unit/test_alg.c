/* The table of algorithms: what a profile accepts, how rows are found, and the ciphers against known answers. */
#include "unit.h"

#include <string.h>

#include "base/codec.h"
#include "conf/conf.h"
#include "pki/alg.h"

static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DIGEST_COUNT; i++) {
		const struct digest_row *row = digest_row(i);

		assert_int_equal(row->id, i);
		assert_ptr_equal(digest_by_oid(row->oid), row);
		assert_ptr_equal(digest_by_name(row->name), row);
		assert_int_equal(gnutls_hash_get_len(row->gnutls), row->size);
		assert_string_equal(gnutls_digest_get_oid(row->gnutls), row->oid);
		if (row->hmac_oid != NULL)
			assert_ptr_equal(digest_by_hmac_oid(row->hmac_oid), row);
		else
			assert_int_equal(row->class, ALG_OBSOLETE);	/* never derives a key */
	}
	for (unsigned i = 0; i < CIPHER_COUNT; i++) {
		const struct cipher_row *row = cipher_row(i);

		assert_int_equal(row->id, i);
		assert_ptr_equal(cipher_by_oid(row->oid), row);
		assert_ptr_equal(cipher_by_name(row->name), row);
		assert_int_equal(gnutls_cipher_get_key_size(row->gnutls), row->key_size);
		assert_int_equal(gnutls_cipher_get_block_size(row->gnutls), row->block);
	}
	assert_null(digest_row(DIGEST_COUNT));
	assert_null(cipher_row(CIPHER_COUNT));
	assert_null(digest_by_oid("2.16.840.1.101.3.4.2.4"));	/* SHA-224: P-159 */
	assert_null(digest_by_hmac_oid("1.2.840.113549.2.8"));
	assert_null(cipher_by_oid("1.2.840.113549.3.2"));	/* RC2 */
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(digest_by_name("sha256")->id, DIGEST_SHA256);
	assert_int_equal(digest_by_name("Sha-512")->id, DIGEST_SHA512);
	assert_null(digest_by_name("sha25"));
	assert_null(digest_by_name("sha2567"));
	assert_null(digest_by_name(""));
	assert_int_equal(cipher_by_name("aes")->id, CIPHER_AES128);
	assert_int_equal(cipher_by_name("aes-256-cbc")->id, CIPHER_AES256);
	assert_int_equal(cipher_by_name("AES192")->id, CIPHER_AES192);
	assert_int_equal(cipher_by_name("3des")->id, CIPHER_DES3);
	assert_int_equal(cipher_by_name("des3")->id, CIPHER_DES3);
	assert_int_equal(cipher_by_name("DES")->id, CIPHER_DES);
	assert_null(cipher_by_name("rc4"));
}

/* Nothing but what RFC 8894 wants is accepted unless the profile says so: P-06, P-07, P-200. */
static void test_sets(void **state)
{
	struct alg_set none = alg_set_make(0, 0), legacy = alg_set_make(LEGACY_SHA1 | LEGACY_DES3, 0);
	struct alg_set obsolete = alg_set_make(0, OBSOLETE_DES | OBSOLETE_MD5);

	(void)state;
	for (unsigned i = 0; i < DIGEST_COUNT; i++) {
		const struct digest_row *row = digest_row(i);

		assert_int_equal(alg_set_has_digest(&none, row), row->class == ALG_STANDARD);
		assert_int_equal(alg_set_has_digest(&legacy, row), row->class != ALG_OBSOLETE);
		assert_int_equal(alg_set_has_digest(&obsolete, row), row->class != ALG_LEGACY);
	}
	for (unsigned i = 0; i < CIPHER_COUNT; i++) {
		const struct cipher_row *row = cipher_row(i);

		assert_int_equal(alg_set_has_cipher(&none, row), row->class == ALG_STANDARD);
		assert_int_equal(alg_set_has_cipher(&legacy, row), row->class != ALG_OBSOLETE);
		assert_int_equal(alg_set_has_cipher(&obsolete, row), row->class != ALG_LEGACY);
	}
	assert_false(alg_set_has_digest(&legacy, NULL));
	assert_false(alg_set_has_cipher(&legacy, NULL));
	assert_int_equal(digest_row(DIGEST_MD5)->class, ALG_OBSOLETE);
	assert_int_equal(cipher_row(CIPHER_DES)->class, ALG_OBSOLETE);
	assert_int_equal(digest_row(DIGEST_SHA1)->class, ALG_LEGACY);
	assert_int_equal(cipher_row(CIPHER_DES3)->class, ALG_LEGACY);
}

/* The keywords are those of RFC 8894, 3.5.2, and SHA-384 (P-199); nothing obsolete is ever announced. */
static void test_keywords(void **state)
{
	(void)state;
	assert_string_equal(digest_row(DIGEST_SHA1)->cap, "SHA-1");
	assert_string_equal(digest_row(DIGEST_SHA256)->cap, "SHA-256");
	assert_string_equal(digest_row(DIGEST_SHA384)->cap, "SHA-384");
	assert_string_equal(digest_row(DIGEST_SHA512)->cap, "SHA-512");
	assert_null(digest_row(DIGEST_MD5)->cap);
	assert_string_equal(cipher_row(CIPHER_AES128)->cap, "AES");
	assert_null(cipher_row(CIPHER_AES192)->cap);
	assert_null(cipher_row(CIPHER_AES256)->cap);
	assert_string_equal(cipher_row(CIPHER_DES3)->cap, "DES3");
	assert_null(cipher_row(CIPHER_DES)->cap);
}

static void test_digest(void **state)
{
	uint8_t out[64];
	struct buf hex = {0};

	(void)state;
	assert_int_equal(digest_of(digest_row(DIGEST_SHA256), (struct bytes){0}, out), 32);
	hex_encode(&hex, bytes_of(out, 32));
	assert_string_equal((char *)hex.p, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	buf_cut(&hex, 0);
	assert_int_equal(digest_of(digest_row(DIGEST_SHA1), BYTES_LIT("abc"), out), 20);
	hex_encode(&hex, bytes_of(out, 20));
	assert_string_equal((char *)hex.p, "a9993e364706816aba3e25717850c26c9cd0d89d");
	buf_free(&hex);
}

/* Key 00 01 02 ..., IV ff fe ..., plain text "abc": openssl enc. */
static void test_cipher_known(void **state)
{
	static const struct {
		enum cipher id;
		const char *ciphertext;
	} rows[] = {
		{CIPHER_AES128, "bde08cac7cf679be04f257e6f49471b0"},
		{CIPHER_AES192, "c70df97fb7cda25df5bc7e909a89ebf5"},
		{CIPHER_AES256, "d56e57fadd74a5ae365cdadad5a12f78"},
		{CIPHER_DES3, "fe76ad7e311d0b9b"},
		{CIPHER_DES, "c974b8903aa6b63d"},
	};
	uint8_t key[32], iv[16];

	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof(iv); i++)
		iv[i] = (uint8_t)(0xff - i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf ct = {0}, hex = {0}, plain = {0};

		cipher_encrypt(cipher_row(rows[i].id), key, iv, BYTES_LIT("abc"), &ct);
		hex_encode(&hex, buf_bytes(&ct));
		assert_string_equal((char *)hex.p, rows[i].ciphertext);
		assert_int_equal(cipher_decrypt(cipher_row(rows[i].id), key, iv, buf_bytes(&ct), &plain), ERR_OK);
		assert_true(bytes_eq_str(buf_bytes(&plain), "abc"));
		buf_free(&ct);
		buf_free(&hex);
		buf_free(&plain);
	}
}

/* Every length around the block size comes back, appended to what was there. */
static void test_cipher_lengths(void **state)
{
	static const uint8_t key[32] = {7}, iv[16] = {9};
	uint8_t text[50];

	(void)state;
	memset(text, 0x10, sizeof(text));	/* looks like padding itself */
	for (unsigned id = 0; id < CIPHER_COUNT; id++) {
		for (size_t n = 0; n <= sizeof(text); n++) {
			const struct cipher_row *row = cipher_row(id);
			struct buf ct = {0}, plain = {0};

			buf_add_str(&plain, "x");
			cipher_encrypt(row, key, iv, bytes_of(text, n), &ct);
			assert_int_equal(ct.n, (n / row->block + 1) * row->block);
			assert_int_equal(cipher_decrypt(row, key, iv, buf_bytes(&ct), &plain), ERR_OK);
			assert_int_equal(plain.n, n + 1);
			assert_memory_equal(plain.p + 1, text, n);
			buf_free(&ct);
			buf_free(&plain);
		}
	}
}

/* One block whose plain text ends in `last`: is it taken for padding? */
static enum err decrypt_ending(const uint8_t *block, struct buf *out)
{
	static const uint8_t key[16] = {1};
	const struct cipher_row *row = cipher_row(CIPHER_AES128);
	gnutls_cipher_hd_t h;
	uint8_t ct[16], iv[16] = {0};
	gnutls_datum_t k = {(unsigned char *)key, sizeof(key)}, v = {iv, sizeof(iv)};

	assert_int_equal(gnutls_cipher_init(&h, row->gnutls, &k, &v), 0);
	assert_int_equal(gnutls_cipher_encrypt2(h, block, 16, ct, sizeof(ct)), 0);
	gnutls_cipher_deinit(h);
	return cipher_decrypt(row, key, iv, bytes_of(ct, sizeof(ct)), out);
}

static void test_cipher_refuses(void **state)
{
	static const uint8_t key[32] = {7}, iv[16] = {9};
	struct buf out = {0};
	uint8_t block[16];

	(void)state;
	assert_int_equal(cipher_decrypt(cipher_row(CIPHER_AES128), key, iv, (struct bytes){0}, &out), ERR_UNSEAL);
	assert_int_equal(cipher_decrypt(cipher_row(CIPHER_AES128), key, iv, bytes_of(key, 17), &out), ERR_UNSEAL);
	assert_int_equal(cipher_decrypt(cipher_row(CIPHER_DES3), key, iv, bytes_of(key, 12), &out), ERR_UNSEAL);
	for (unsigned last = 0; last < 256; last++) {
		memset(block, (int)last, sizeof(block));
		assert_int_equal(decrypt_ending(block, &out), last >= 1 && last <= 16 ? ERR_OK : ERR_UNSEAL);
		assert_int_equal(out.n, last >= 1 && last <= 16 ? 16 - last : 0);
		buf_cut(&out, 0);
	}
	memset(block, 5, sizeof(block));
	block[12] = 4;		/* one of the five octets differs */
	assert_int_equal(decrypt_ending(block, &out), ERR_UNSEAL);
	assert_int_equal(out.n, 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_names), cmocka_unit_test(test_sets),
		cmocka_unit_test(test_keywords), cmocka_unit_test(test_digest), cmocka_unit_test(test_cipher_known),
		cmocka_unit_test(test_cipher_lengths), cmocka_unit_test(test_cipher_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
