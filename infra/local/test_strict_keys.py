"""Tests of what the local KMS refuses, as AWS does.

`cargo verify --only loops` runs them with the Python of the local AWS.
"""

import base64
import unittest

from botocore.exceptions import ClientError

from local_aws_case import LocalAwsCase
from strict_rules import EncryptedKeys, Refusal, check_data_key

CONTEXT = {"grant_secret": "stage/grant/one"}


class Rules(unittest.TestCase):
    def test_a_request_for_a_data_key_states_its_length_once(self):
        check_data_key({"KeySpec": "AES_256"})
        check_data_key({"NumberOfBytes": 32})
        for request in [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}]:
            with self.assertRaisesRegex(Refusal, "ValidationException"):
                check_data_key(request)

    def test_a_text_is_decrypted_with_the_key_that_encrypted_it(self):
        keys = EncryptedKeys()
        keys.encrypted("text", "one")
        keys.check("text", "one")
        with self.assertRaisesRegex(Refusal, "IncorrectKeyException"):
            keys.check("text", "two")
        with self.assertRaisesRegex(Refusal, "InvalidCiphertextException"):
            keys.check("texT", "one")


class OnTheLocalAws(LocalAwsCase):
    settings = {"STRICT_KEYS_THROTTLED_EVERY": "4"}

    def assert_refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as refused:
            call(**parameters)
        found = refused.exception.response
        self.assertEqual((found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]), (code, 400))

    def test_a_data_key_is_decrypted_with_its_own_key_and_context_alone(self):
        kms = self.client("kms")
        key, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        created = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
        blob = created["CiphertextBlob"]
        wanted = {"KeyId": key, "CiphertextBlob": blob, "EncryptionContext": CONTEXT}
        self.assertEqual(kms.decrypt(**wanted)["Plaintext"], created["Plaintext"])
        self.assertEqual(len(created["Plaintext"]), 32)
        self.assert_refused("IncorrectKeyException", kms.decrypt, **{**wanted, "KeyId": other})
        self.assert_refused("NotFoundException", kms.decrypt, **{**wanted, "KeyId": key[:-1] + "x"})
        for context in [{}, {"grant_secret": "stage/grant/two"}, {"grant_secret": "Stage/grant/one"}]:
            self.assert_refused("InvalidCiphertextException", kms.decrypt,
                                **{**wanted, "EncryptionContext": context})
        for changed in [blob[:-1] + bytes([blob[-1] ^ 1]), blob[:-1], b"x" * 100, base64.b64encode(blob)]:
            self.assert_refused("InvalidCiphertextException", kms.decrypt, **{**wanted, "CiphertextBlob": changed})
        self.assert_refused("ValidationException", kms.generate_data_key, KeyId=key)

    def test_a_key_that_is_disabled_or_will_be_deleted_is_not_used(self):
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        wanted = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": CONTEXT}
        blob = kms.generate_data_key(**wanted)["CiphertextBlob"]

        def assert_state(code):
            self.assert_refused(code, kms.generate_data_key, **wanted)
            self.assert_refused(code, kms.decrypt, KeyId=key, CiphertextBlob=blob, EncryptionContext=CONTEXT)

        kms.disable_key(KeyId=key)
        assert_state("DisabledException")
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        assert_state("KMSInvalidStateException")
        # A key whose deletion is cancelled stays disabled until someone enables it.
        kms.cancel_key_deletion(KeyId=key)
        assert_state("DisabledException")
        kms.enable_key(KeyId=key)
        kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionContext=CONTEXT)

    def test_every_nth_call_of_a_function_is_throttled(self):
        operator, function = self.client("kms"), self.client("kms", "FUNCTION")
        key = operator.create_key()["KeyMetadata"]["Arn"]
        wanted = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": CONTEXT}
        for _ in range(3):
            function.generate_data_key(**wanted)
        self.assert_refused("ThrottlingException", function.generate_data_key, **wanted)
        for client in [function, *[operator] * 4]:
            client.generate_data_key(**wanted)


if __name__ == "__main__":
    unittest.main()
