"""The push of an invoice in Python, as it is usually written: boto3 and xero-python behind Lambda's
Runtime API. It reads the token once, claims each record in the table, creates the invoice, and records
its id.
"""

import datetime
import http.client
import json
import os
import traceback

import boto3
from xero_python.accounting import AccountingApi, Contact, Invoice, Invoices, LineItem
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

ENV = os.environ
RUNTIME = "/2018-06-01/runtime"

secrets = boto3.client("secretsmanager")
table = boto3.client("dynamodb")
secret = secrets.get_secret_value(SecretId=ENV["GRANT_SECRET_ID"])["SecretString"]
token = {
    "access_token": json.loads(secret)["access_token"],
    "refresh_token": "none",
    "scope": ["accounting.transactions"],
    "expires_in": 1800,
    "token_type": "Bearer",
}
api_client = ApiClient(
    Configuration(oauth2_token=OAuth2Token(client_id="benchmark", client_secret="benchmark"))
)


@api_client.oauth2_token_getter
def get_token():
    return token


@api_client.oauth2_token_saver
def save_token(_token):
    pass


xero = AccountingApi(api_client)
xero.base_url = f"{ENV['XERO_API_URL']}/api.xro/2.0"


def push(record):
    invoice = json.loads(record["body"])["invoice"]
    key = {"pk": {"S": "BENCHMARK"}, "sk": {"S": invoice["id"]}}
    table.put_item(
        TableName=ENV["TABLE_NAME"],
        Item={**key, "state": {"S": "claimed"}, "record": {"S": record["body"]}},
        ConditionExpression="attribute_not_exists(pk)",
    )
    line = invoice["lines"][0]
    date = datetime.date.fromisoformat(invoice["issue_date"])
    item = LineItem(
        description=line["name"],
        quantity=float(line["quantity"]),
        unit_amount=float(line["unit_price"]),
        account_code="200",
        tax_type="OUTPUT2",
    )
    document = Invoice(
        type="ACCREC",
        status="AUTHORISED",
        contact=Contact(contact_id=ENV["XERO_CONTACT_ID"]),
        invoice_number=invoice["number"],
        date=date,
        due_date=date,
        line_items=[item],
    )
    made = xero.create_invoices(ENV["XERO_TENANT_ID"], Invoices(invoices=[document]))
    table.update_item(
        TableName=ENV["TABLE_NAME"],
        Key=key,
        UpdateExpression="SET #s = :s, xero_id = :x",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={
            ":s": {"S": "synced"},
            ":x": {"S": made.invoices[0].invoice_id},
        },
    )


def post(connection, path, body):
    connection.request("POST", f"{RUNTIME}/{path}", json.dumps(body))
    connection.getresponse().read()


def serve():
    connection = http.client.HTTPConnection(ENV["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{RUNTIME}/invocation/next")
        following = connection.getresponse()
        invocation = following.getheader("lambda-runtime-aws-request-id")
        event = json.loads(following.read())
        try:
            for record in event["Records"]:
                push(record)
            post(connection, f"invocation/{invocation}/response", {"batchItemFailures": []})
        except Exception:
            body = {"errorMessage": traceback.format_exc()}
            post(connection, f"invocation/{invocation}/error", body)


serve()
