"""Tests of what an HTTP API of the local AWS sends to a function, and of what it answers itself, as AWS does.

`cargo verify --only loops` runs them with the Python of the local AWS.
"""

import base64
import json
import unittest
import urllib.error
import urllib.request

from local_aws_case import LocalAwsCase, package_bootstrap
from strict_rules import REQUEST_BYTES_MAX

# Answers with the event, or fails.
CODE = """#!{python}
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        event, id = json.load(answer), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    is_wrong = event["rawPath"] == "/fail"
    body = dict(errorType="Fault", errorMessage="a detail") if is_wrong else \\
        dict(statusCode=200, body=json.dumps(event), headers={{"content-type": "application/json"}})
    path = "/error" if is_wrong else "/response"
    urllib.request.urlopen(api + id + path, data=json.dumps(body).encode()).read()
"""


class AnHttpApi(LocalAwsCase):
    def setUp(self):
        super().setUp()
        function = self.client("lambda").create_function(
            FunctionName="echo", Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": package_bootstrap(CODE)},
            Role="arn:aws:iam::000000000000:role/any", Timeout=20)
        apis = self.client("apigatewayv2")
        self.api = apis.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        integration = apis.create_integration(
            ApiId=self.api, IntegrationType="AWS_PROXY", IntegrationUri=function["FunctionArn"],
            PayloadFormatVersion="2.0")["IntegrationId"]
        for route in ["GET /v1/{proxy+}", "POST /v1/{proxy+}", "GET /fail"]:
            apis.create_route(ApiId=self.api, RouteKey=route, Target=f"integrations/{integration}")
        apis.create_stage(ApiId=self.api, StageName="$default", AutoDeploy=True)

    def send(self, path, body=None, headers=None):
        """The status, the headers and the JSON of an answer."""
        request = urllib.request.Request(f"{self.endpoint}{path}", data=body, headers={
            "Host": f"{self.api}.execute-api.localhost", **(headers or {})})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.status, answer.headers, json.load(answer)

    def test_an_event_has_the_query_as_it_was_sent_and_the_values_of_each_name_joined(self):
        status, headers, event = self.send("/v1/a%20b?name=x%20y&name=z&empty=&plus=1+2")
        self.assertEqual(status, 200)
        self.assertEqual(event["rawQueryString"], "name=x%20y&name=z&empty=&plus=1+2")
        self.assertEqual(event["queryStringParameters"]["name"], "x y,z")
        self.assertEqual((event["version"], event["rawPath"]), ("2.0", "/v1/a b"))
        self.assertEqual({name for name in event["headers"] if name != name.lower()}, set())
        self.assertNotIn("body", event)
        self.assertTrue(headers["apigw-requestid"])

    def test_a_body_is_text_if_its_type_is_and_base64_otherwise(self):
        for content_type, is_text in [("application/json", True), ("text/plain", True),
                                      ("application/octet-stream", False)]:
            sent = '{"é": 1}'.encode()
            _, _, event = self.send("/v1/x", body=sent, headers={"Content-Type": content_type})
            body = event["body"].encode() if is_text else base64.b64decode(event["body"])
            self.assertEqual((body, event["isBase64Encoded"]), (sent, not is_text), content_type)

    def test_an_address_without_a_route_is_not_found(self):
        status, _, body = self.send("/v2/x")
        self.assertEqual((status, body), (404, {"message": "Not Found"}))

    def test_the_error_of_a_function_is_not_forwarded(self):
        status, _, body = self.send("/fail")
        self.assertEqual((status, body), (500, {"message": "Internal Server Error"}))

    def test_a_function_without_a_free_process_is_unavailable(self):
        self.client("lambda").put_function_concurrency(FunctionName="echo", ReservedConcurrentExecutions=0)
        status, _, body = self.send("/v1/x")
        self.assertEqual((status, body), (503, {"message": "Service Unavailable"}))

    def test_a_request_has_ten_megabytes(self):
        status, _, body = self.send("/v1/x", body=b"x" * (REQUEST_BYTES_MAX + 1))
        self.assertEqual((status, body), (413, {"message": "Request Entity Too Large"}))


if __name__ == "__main__":
    unittest.main()
