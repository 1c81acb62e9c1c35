import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { deadlineOf } from "@quarterturn/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { redshiftDirectory } from "../src/directory.ts";

const region = "arn:aws:redshift:us-east-1:123456789012";
const serverless = "arn:aws:redshift-serverless:us-east-1:123456789012";
const host = "abc123.us-east-1.redshift.amazonaws.com";

/**
 * Imitates the APIs of Redshift (DescribeClusters, in the query protocol) and of Redshift Serverless (ListNamespaces and ListWorkgroups, in
 * AWS JSON 1.1, a page at a time), which nothing that runs here offers.
 */
const clusters: Record<string, string> = {
  warehouse: `<Endpoint><Address>warehouse.${host}</Address><Port>5439</Port></Endpoint>`,
  creating: "",
};
const pages: Record<string, readonly object[]> = {
  ListNamespaces: [
    { namespaces: [{ namespaceArn: `${serverless}:namespace/one`, namespaceName: "one" }], nextToken: "1" },
    { namespaces: [{ namespaceArn: `${serverless}:namespace/two`, namespaceName: "two" }] },
  ],
  ListWorkgroups: [
    { workgroups: [{ namespaceName: "one", endpoint: { address: "one.example", port: 5440 } }], nextToken: "1" },
    { workgroups: [{ namespaceName: "two", endpoint: { address: "two.example", port: 5439 } }] },
  ],
};
let api: Server;
let asked: string[] = [];
let regions: (string | undefined)[] = [];
beforeAll(async () => {
  api = createServer(async (request, response) => {
    regions.push(String(request.headers.authorization).split("/")[2]);
    let body = "";
    for await (const chunk of request) body += chunk;
    const target = String(request.headers["x-amz-target"] ?? "").split(".")[1];
    if (target !== undefined) {
      const { nextToken = "0" } = JSON.parse(body) as { nextToken?: string };
      asked.push(`${target} ${nextToken}`);
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(pages[target]?.[Number(nextToken)]));
      return;
    }
    const form = new URLSearchParams(body);
    const id = form.get("ClusterIdentifier") ?? "";
    asked.push(`${form.get("Action")} ${id}`);
    const refuse = (status: number, code: string) => {
      response.writeHead(status, { "content-type": "text/xml" });
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      );
    };
    if (id === "silent") return;
    if (id === "denied") return refuse(403, "AccessDenied");
    const found = clusters[id];
    if (found === undefined) return refuse(404, "ClusterNotFound");
    response.writeHead(200, { "content-type": "text/xml" });
    response.end(
      `<DescribeClustersResponse><DescribeClustersResult><Clusters><Cluster><ClusterIdentifier>${id}</ClusterIdentifier>${found}</Cluster></Clusters></DescribeClustersResult></DescribeClustersResponse>`,
    );
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  process.env.AWS_ENDPOINT_URL_REDSHIFT = url;
  process.env.AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS = url;
});
beforeEach(() => {
  asked = [];
  regions = [];
});
afterAll(() => {
  api.closeAllConnections();
  api.close();
});

const serverOf = (tags: Readonly<Record<string, string>>) =>
  redshiftDirectory.managedServer(
    "arn:admin",
    tags,
    deadlineOf(() => 2_000),
  );

test("a cluster's managed admin secret is for the cluster in its tag", async () => {
  expect(await serverOf({ "aws:redshift:primaryClusterArn": `${region}:cluster:warehouse` })).toEqual({
    host: `warehouse.${host}`,
    port: 5439,
  });
  expect(asked).toEqual(["DescribeClusters warehouse"]);
});

test("is asked for in the Region that the tag names", async () => {
  await serverOf({ "aws:redshift:primaryClusterArn": "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse" });
  await serverOf({
    "aws:redshift-serverless:namespaceArn": `${serverless}:namespace/two`,
  });
  expect(regions).toEqual(["eu-west-1", ...Array(4).fill("us-east-1")]);
});

test("a serverless namespace's is for its workgroup, on whatever page it is", async () => {
  expect(await serverOf({ "aws:redshift-serverless:namespaceArn": `${serverless}:namespace/two` })).toEqual({
    host: "two.example",
    port: 5439,
  });
  expect(asked).toEqual(["ListNamespaces 0", "ListNamespaces 1", "ListWorkgroups 0", "ListWorkgroups 1"]);
});

test("the tags' names are compared without regard to case, as AWS's functions do", async () => {
  const { port } = await serverOf({ "aws:redshift-serverless:namespacearn": `${serverless}:namespace/one` });
  expect(port).toBe(5440);
});

test.for([
  ["no tag", {}, "bad-secret", "no tag of Redshift"],
  [
    "a cluster without an endpoint yet",
    { "aws:redshift:primaryClusterArn": `${region}:cluster:creating` },
    "bad-secret",
    "no endpoint",
  ],
  [
    "a cluster that there is not",
    { "aws:redshift:primaryClusterArn": `${region}:cluster:gone` },
    "bad-secret",
    "no endpoint",
  ],
  [
    "a namespace that there is not",
    { "aws:redshift-serverless:namespaceArn": `${serverless}:namespace/x` },
    "bad-secret",
    "no endpoint",
  ],
  [
    "a role that may not ask",
    { "aws:redshift:primaryClusterArn": `${region}:cluster:denied` },
    "privilege",
    "redshift:DescribeClusters",
  ],
  [
    "an API that does not answer",
    { "aws:redshift:primaryClusterArn": `${region}:cluster:silent` },
    "timeout",
    "redshift:DescribeClusters",
  ],
] as const)("%s: %o is refused", async ([, tags, code, words]) => {
  await expect(serverOf(tags)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
});
