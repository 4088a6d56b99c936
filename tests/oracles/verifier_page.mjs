// Runs the script of the verifier page over cases: JSON on standard input, reports on standard output.
import { readFileSync } from "node:fs";

const html = readFileSync(process.argv[2], "utf8");
const script = html.slice(html.indexOf("<script>") + "<script>".length, html.lastIndexOf("</script>"));
(0, eval)(script);

const bytes = (text) => (text === null ? null : new Uint8Array(Buffer.from(text, "base64")));
const { cases, signatures } = JSON.parse(readFileSync(0, "utf8"));
const reports = [];
for (const { data, keys, witnesses, quorum, kept, growth } of cases) {
  const report = await mingjing.judge(bytes(data), keys, witnesses, quorum, bytes(kept), bytes(growth));
  const english = (sentences) => sentences.map((both) => both[1]);
  const { zh, ...said } = { ...report, proven: english(report.proven), not_said: english(report.not_said) };
  reports.push(said);
}
const verified = [];
for (const { key, message, signature } of signatures) {
  const given = [key, message, signature].map(bytes);
  verified.push([await mingjing.ed25519(...given), await mingjing.ed25519Plain(...given)]);
}
process.stdout.write(JSON.stringify({ reports, verified }));
