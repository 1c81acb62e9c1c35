import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter } from "node:path";
import { judge } from "./judges.ts";

/** A call that the AWS CLI would have sent to AWS. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

/**
 * Runs lines of a shell in which the AWS CLI, instead of AWS, reaches a server on loopback that agrees with everything. What judges them is
 * the CLI itself: it knows every command, parameter and type, and sends nothing that it finds wrong.
 *
 * @param folder where the lines run; its files are what `file://` names
 * @param programs a folder of programs that shall be found first
 * @returns what the CLI sent
 * @throws Error with the output where a line fails
 */
export async function runAwsLines(
  lines: string,
  { folder, programs }: { readonly folder: string; readonly programs?: string },
): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    calls.push({ method: request.method ?? "", url: request.url ?? "", body });
    const { status, type, text } = answer(request, body, calls);
    response.writeHead(status, { "content-type": type, etag: '"0"' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const found = programs === undefined ? "" : `PATH='${programs}'${delimiter}"$PATH"\n`;
    // A line that names an endpoint of this machine's means one that the reader has started.
    const script = `set -e\n${found}cd '${folder}'\n${lines.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, url)}`;
    await judge("sh", ["-c", script], {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_PAGER: "",
    });
  } finally {
    server.close();
  }
  return calls;
}

/** The least that the CLI takes for an answer. */
function answer({ headers, method }: IncomingMessage, body: string, calls: readonly Call[]) {
  const form = new URLSearchParams(body);
  const action = form.get("Action");
  if (action === null) {
    // S3: what is asked for before it is uploaded is not there yet.
    if (method === "HEAD") return { status: 404, type: "application/xml", text: "" };
    return { status: 200, type: headers["content-type"] ?? "application/json", text: method === "PUT" ? "" : "{}" };
  }
  // CloudFormation: a stack is there, made and updated, once a change set was asked for, be it by the Serverless Application Repository.
  const asked = calls.some(({ url, body }) => /changesets$/.test(url) || /Action=CreateChangeSet/.test(body));
  const isAsking = /^Describe(Stacks|ChangeSet)$/.test(action);
  if (isAsking && !asked) {
    const message = `<Message>Stack with id ${form.get("StackName")} does not exist</Message>`;
    const error = `<Error><Code>ValidationError</Code>${message}</Error>`;
    return { status: 400, type: "text/xml", text: `<ErrorResponse>${error}</ErrorResponse>` };
  }
  const complete = "<StackName>a</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>";
  const results: Readonly<Record<string, string>> = {
    CreateChangeSet: "<Id>arn:aws:cloudformation:eu-west-1:123456789012:changeSet/a/b</Id>",
    DescribeChangeSet: "<Status>CREATE_COMPLETE</Status>",
    DescribeStacks: `<Stacks><member>${complete}<StackStatus>UPDATE_COMPLETE</StackStatus></member></Stacks>`,
  };
  const result = `<${action}Result>${results[action] ?? ""}</${action}Result>`;
  return { status: 200, type: "text/xml", text: `<${action}Response>${result}</${action}Response>` };
}
