// The push of an invoice in Node, as it is usually written: AWS SDK v3 and xero-node behind Lambda's
// Runtime API. It reads the token once, claims each record in the table, creates the invoice, and
// records its id.
const { DynamoDBClient, PutItemCommand, UpdateItemCommand } = require('@aws-sdk/client-dynamodb');
const { SecretsManagerClient, GetSecretValueCommand } = require('@aws-sdk/client-secrets-manager');
const { XeroClient } = require('xero-node');

const { env } = process;
const runtime = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const table = new DynamoDBClient({});
const secrets = new SecretsManagerClient({});
const xero = new XeroClient({
  clientId: 'benchmark',
  clientSecret: 'benchmark',
  redirectUris: ['http://localhost'],
  scopes: ['accounting.transactions'],
});

async function start() {
  const command = new GetSecretValueCommand({ SecretId: env.GRANT_SECRET_ID });
  const { access_token } = JSON.parse((await secrets.send(command)).SecretString);
  await xero.setTokenSet({ access_token });
  xero.accountingApi.basePath = `${env.XERO_API_URL}/api.xro/2.0`;
}

async function push(record) {
  const { invoice } = JSON.parse(record.body);
  const key = { pk: { S: 'BENCHMARK' }, sk: { S: invoice.id } };
  const names = { '#s': 'state' };
  await table.send(new PutItemCommand({
    TableName: env.TABLE_NAME,
    Item: { ...key, state: { S: 'claimed' }, record: { S: record.body } },
    ConditionExpression: 'attribute_not_exists(pk)',
  }));
  const [line] = invoice.lines;
  const made = await xero.accountingApi.createInvoices(env.XERO_TENANT_ID, {
    invoices: [{
      type: 'ACCREC',
      status: 'AUTHORISED',
      contact: { contactID: env.XERO_CONTACT_ID },
      invoiceNumber: invoice.number,
      date: invoice.issue_date,
      dueDate: invoice.issue_date,
      lineAmountTypes: 'Exclusive',
      lineItems: [{
        description: line.name,
        quantity: Number(line.quantity),
        unitAmount: Number(line.unit_price),
        accountCode: '200',
        taxType: 'OUTPUT2',
      }],
    }],
  });
  await table.send(new UpdateItemCommand({
    TableName: env.TABLE_NAME,
    Key: key,
    UpdateExpression: 'SET #s = :s, xero_id = :x',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ':s': { S: 'synced' }, ':x': { S: made.body.invoices[0].invoiceID } },
  }));
}

async function serve() {
  await start();
  for (;;) {
    const next = await fetch(`${runtime}/invocation/next`);
    const id = next.headers.get('lambda-runtime-aws-request-id');
    const event = await next.json();
    try {
      for (const record of event.Records) await push(record);
      const body = JSON.stringify({ batchItemFailures: [] });
      await fetch(`${runtime}/invocation/${id}/response`, { method: 'POST', body });
    } catch (error) {
      const body = JSON.stringify({ errorMessage: String(error.stack ?? JSON.stringify(error)) });
      await fetch(`${runtime}/invocation/${id}/error`, { method: 'POST', body });
    }
  }
}

serve().catch((error) => {
  console.error(error);
  process.exit(1);
});
