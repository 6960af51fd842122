import { version } from "webreid/package.json";
import { count } from "../words.ts";
import { Bench } from "./bench.ts";
import { DetectionSection } from "./detect/section.ts";
import { byId, setText } from "./dom.ts";
import { PlanForm } from "./form.ts";
import { GpuSection } from "./gpu/section.ts";
import { handOver } from "./hand-over.ts";
import { runJob } from "./job.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { asked, type Combination, type Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import { SearchSection } from "./search/section.ts";
import { renderDownloads, renderResults } from "./table.ts";

const status = byId("status", HTMLParagraphElement);
const results = byId("results", HTMLElement);
const json = byId("bench-json", HTMLScriptElement);

const wish = asked(location.search);
const machine = await describeMachine();
showMachine(machine);
let report: Report | undefined;
const form = new PlanForm(machine, wish, (plan) => void run(plan));
const sections = [new SearchSection(onBusy), new DetectionSection(machine, onBusy), new GpuSection(machine, onBusy)];

handOver("copy-json", "save-json", "webreid-bench.json", asJson);
if (wish.unknown.length > 0) setText(status, `The address asks for what there is not: ${wish.unknown.join(", ")}.`);
else if (wish.start && form.complete) void run(form.plan);
for (const section of sections) section.startAsAsked();

async function run(plan: Plan): Promise<void> {
  const current: Report = {
    webreid: version,
    onnxruntimeWeb: "",
    date: new Date().toISOString(),
    machine,
    state: "running",
    networks: [],
    rows: [],
    downloads: [],
  };
  report = current;
  form.running = true;
  onBusy(true);
  results.hidden = false;
  renderReport(current);
  await runJob(async (signal, onWork) => {
    const onCombination = ({ network, setting, batch }: Combination, share: number) =>
      onWork(`Measuring ${network.name}, batch ${batch}, on ${setting.name}`, share);
    await new Bench(plan, current, signal, { onWork: onCombination, onReport: () => renderReport(current) }).run();
    return summary(current);
  });
  onBusy(false);
  form.running = false;
}

/** While one thing is measured nothing else is to be. */
function onBusy(busy: boolean): void {
  form.disabled = busy;
  for (const section of sections) section.disabled = busy;
}

function renderReport(current: Report): void {
  renderResults(byId("results-table", HTMLTableElement), current);
  const downloads = byId("downloads-table", HTMLTableElement);
  downloads.hidden = current.downloads.length === 0;
  renderDownloads(downloads, current.downloads);
  json.textContent = asJson();
}

function asJson(): string {
  return JSON.stringify(report, undefined, 2);
}

function summary({ rows, state }: Report): string {
  const having = (outcome: string) => rows.filter((row) => row.outcome === outcome).length;
  const parts = [`${count(having("measured"), "combination")} measured`];
  for (const outcome of ["skipped", "failed"]) if (having(outcome) > 0) parts.push(`${having(outcome)} ${outcome}`);
  return `${state === "cancelled" ? "Cancelled" : "Done"}: ${parts.join(", ")}.`;
}

function showMachine({ browser, cores, graphics, isolated }: Machine): void {
  setText(byId("machine-browser", HTMLElement), browser);
  setText(byId("machine-cores", HTMLElement), count(cores, "thread"));
  setText(byId("machine-graphics", HTMLElement), graphics.charAt(0).toUpperCase() + graphics.slice(1));
  setText(
    byId("machine-isolated", HTMLElement),
    isolated ? "Yes: onnxruntime-web can have several threads." : "No: onnxruntime-web has one thread.",
  );
}
