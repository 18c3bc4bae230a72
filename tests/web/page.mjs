// The page in a real browser: node page.mjs URL MODELS CHROMIUM [SCREENSHOTS]
// Every step is a user's way through the page; each place that it comes by is looked at by axe-core, in light and dark,
// and may be no wider than a phone. Prints a line for each step; exit code 1 if one fails.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import puppeteer from "puppeteer-core";

const [, , url, models, executablePath, screenshots] = process.argv;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LONG = 60_000;

const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
const faults = []; // of the page itself, or requests to other hosts
page.on("pageerror", (e) => faults.push(`error in the page: ${e.message}`));
page.on("request", (r) => {
  if (!r.url().startsWith(url) && !/^(blob|data):/.test(r.url())) faults.push(`a request to ${r.url()}`);
});
await page.setViewport({ width: 1280, height: 900 });

const model = (name) => path.join(models, name);
const expect = (condition, text) => {
  if (!condition) throw new Error(text);
};
const text = (selector) => page.$eval(selector, (e) => e.textContent);
const exists = (selector) => page.waitForSelector(selector, { timeout: LONG });
const says = (selector, words) =>
  page.waitForFunction((s, w) => [...document.querySelectorAll(s)].some((e) => e.textContent.includes(w)), { timeout: LONG }, selector, words);

async function press(label, selector = "button, a, [role=tab], summary") {
  await says(selector, label);
  const handle = await page.evaluateHandle(
    (s, l) => {
      const all = [...document.querySelectorAll(s)];
      return all.find((e) => e.textContent.trim() === l) ?? all.find((e) => e.textContent.includes(l));
    },
    selector,
    label,
  );
  await handle.click();
}

async function accessible(place) {
  const look = async () => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
    const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    expect(!serious.length, `${place}: ${serious.map((v) => `${v.id} (${v.nodes.map((n) => n.target).slice(0, 3).join(", ")})`).join("; ")}`);
  };
  await look();
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await look();
  await page.emulateMediaFeatures([]);
  await page.setViewport({ width: 390, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewport({ width: 1280, height: 900 });
  expect(wide <= 390, `${place}: ${wide} wide on a phone of 390`);
}

async function picture(name) {
  if (!screenshots) return;
  const take = (kind) => page.screenshot({ path: path.join(screenshots, `${name}${kind}.png`), fullPage: true });
  await take("");
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await take("-dark");
  await page.emulateMediaFeatures([]);
  await page.setViewport({ width: 390, height: 800 });
  await take("-phone");
  await page.setViewport({ width: 1280, height: 900 });
}

async function home() {
  await page.goto(`${url}#/`);
  await exists(".drop");
}

async function choose(...files) {
  const input = await exists("input[type=file]");
  await input.uploadFile(...files.map(model));
}

/// Files to the facts about the model.
async function take(...files) {
  await home();
  await choose(...files);
  await exists(".before");
}

async function converted() {
  await press("Convert", "button[type=submit]");
  await exists(".downloads a");
}

async function blobBytes() {
  return page.evaluate(async () => {
    const link = [...document.querySelectorAll(".downloads a")].find((a) => a.textContent.startsWith("Download blob"));
    const bytes = new Uint8Array(await (await fetch(link.href)).arrayBuffer());
    return { head: [...bytes.slice(0, 4)], size: bytes.length };
  });
}

async function convertsTo(...files) {
  await take(...files);
  await says(".verdict.good", "can be converted");
  await converted();
  const blob = await blobBytes();
  expect(blob.head.join() === "127,101,108,102" && blob.size > 500, `no blob: ${JSON.stringify(blob)}`);
}

const steps = {
  async "the first page"() {
    await home();
    await accessible("the first page");
    await picture("first");
  },
  async "an ONNX model: facts, options, blob"() {
    await take("model.onnx");
    await says(".facts", "1 × 3 × 16 × 16");
    await press("Estimate the speed");
    await exists(".speeds");
    expect((await page.$$(".speeds li")).length === 16, "not 16 numbers of SHAVEs");
    await press("4", ".speeds button");
    expect((await text("output")) === "4", "the number of SHAVEs is not taken over");
    await accessible("facts and options");
    expect((await text(".snippet pre")).includes("blobsmith convert model.onnx -o model.blob --shaves 4"), "the command does not follow the options");
    await picture("check");
    await converted();
    expect((await text(".snippet pre")).includes('setBlobPath("model.blob")'), "how the blob is loaded is not said");
    await press("Command line", "[role=tab]");
    expect((await text(".snippet pre")).includes("--shaves 4"), "the command does not say the SHAVEs");
    expect((await blobBytes()).size > 500, "no blob");
  },
  async "the view of the blob: layers and stages lead to each other"() {
    await exists(".stages [role=option]");
    await exists(".time rect");
    await exists(".memory .tensor");
    await says(".blob .summary", "Every byte is accounted for");
    await exists(".layers button");
    await page.click(".layers li:nth-child(2) button");
    const marked = await page.$$eval(".stages [aria-selected=true]", (l) => l.length);
    expect(marked >= 1, "a layer marks no stage");
    await page.focus(".stages");
    await page.keyboard.press("Home");
    await says(".detail", "reads from");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const pressed = await page.$$eval(".layers [aria-pressed=true]", (l) => l.length);
    expect(pressed >= 1, "a stage marks no layer");
    const seen = await page.$eval(".layers [aria-pressed=true]", (b) => {
      const [button, list] = [b.getBoundingClientRect(), b.closest("ul").getBoundingClientRect()];
      return button.top >= list.top - 1 && button.bottom <= list.bottom + 1;
    });
    expect(seen, "the layer of a stage is out of sight");
    expect((await page.$$(".bytes rect.on")).length >= 1, "a stage has no bytes");
    await accessible("the view of the blob");
    await picture("blob");
  },
  async "compare, by keyboard"() {
    await page.focus("[role=tab]");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await press("Compare", "[role=tabpanel] button");
    await exists(".plot circle");
    await says(".verdict", "agree");
    await accessible("the comparison");
    await picture("compare");
  },
  async "Netron draws the model"() {
    await press("Netron", "[role=tab]");
    const frame = await (await exists("iframe.netron")).contentFrame();
    await frame.waitForSelector("#canvas .node, svg .node", { timeout: LONG });
    await picture("netron");
  },
  async "a link that is shared"() {
    const address = page.url();
    const other = await browser.newPage();
    await other.goto(address);
    await other.waitForSelector(".downloads a", { timeout: LONG });
    await other.close();
  },
  async "recent jobs"() {
    await home();
    await says(".rows", "model");
    await accessible("recent jobs");
  },
  async "an OpenVINO IR: the second file is asked for"() {
    await home();
    await choose("network.xml");
    await says(".lacking", "add the .bin");
    await choose("network.bin");
    await exists(".before");
    await converted();
    expect((await blobBytes()).size > 500, "no blob");
  },
  "a Caffe model": () => convertsTo("caffe.caffemodel", "caffe.prototxt"),
  "a TensorFlow model": () => convertsTo("graph.pb"),
  async "a folder is one model, chosen or dropped"() {
    await home();
    await (await exists("#folder")).uploadFile(model("saved"));
    await says(".verdict.good", "can be converted");
    await converted();
    await home();
    const { x, y } = await (await exists(".drop")).clickablePoint();
    const data = { items: [], files: [model("saved")], dragOperationsMask: 1 };
    const client = await page.createCDPSession();
    for (const type of ["dragEnter", "dragOver", "drop"]) await client.send("Input.dispatchDragEvent", { type, x, y, data });
    await says(".verdict.good", "can be converted");
    await says(".facts", "archive");
  },
  async "the settings are changed: a superblob, whose layers and stages lead to each other"() {
    await take("model.onnx");
    await converted();
    await press("Change the settings", "button");
    await exists(".before");
    await page.click("#option-superblob");
    await converted();
    await says(".downloads", "Download superblob");
    await says(".blob .summary", "for 6 SHAVEs");
    await page.click(".layers li:nth-child(2) button");
    expect((await page.$$eval(".stages [aria-selected=true]", (l) => l.length)) >= 1, "a layer marks no stage");
    await page.select(".versions select", "3");
    await says(".blob .summary", "for 3 SHAVEs");
    await exists(".layers button");
    await picture("superblob");
    await press("Change the settings", "button");
    await exists(".before");
    await page.click("#option-superblob");
    await page.click("#option-nn_archive");
    await page.click("#option-ir");
    await press("Estimate the speed");
    await press("4", ".speeds button");
    await converted();
    await says(".downloads", "Download NN archive");
    for (const kind of ["OpenVINO IR", "Report"]) await says(".downloads", kind);
    const sizes = await page.$$eval(".downloads a", (l) => Promise.all(l.map(async (a) => (await (await fetch(a.href)).arrayBuffer()).byteLength)));
    expect(Math.min(...sizes) > 100, `results have ${sizes} bytes`);
    await says(".blob .summary", "for 4 SHAVEs");
    await exists(".layers button");
  },
  async "another model instead of one that lacks a file"() {
    await home();
    await choose("network.xml");
    await says(".lacking", "add the .bin");
    await choose("model.onnx");
    await exists(".before");
    await says("h1", "model");
  },
  async "a superblob: one version after another"() {
    await home();
    await choose("many.superblob");
    await exists(".versions select");
    await says(".blob .summary", "for 6 SHAVEs");
    await page.select(".versions select", "3");
    await says(".blob .summary", "for 3 SHAVEs");
    expect((await blobBytes()).head.join() === "127,101,108,102", "the version can't be had alone");
    await accessible("a superblob");
  },
  async "a model that can't be converted: layer, reason, what to do"() {
    await take("troubled.xml", "troubled.bin");
    await says(".verdict.bad", "in the way of a blob");
    await says(".problems", "BS2003");
    await says(".problems", "What to do");
    await says("tr.unsupported", "not supported");
    await accessible("a list of problems");
    await picture("problems");
    await press("Convert", "button[type=submit]");
    await says("[role=alert]", "could not be converted");
    await says("[role=alert]", "first");
    await accessible("a failed job");
  },
  async "a file that is no model"() {
    await home();
    await choose("weights.pt");
    await says("[role=alert]", "weights could not be read");
    await says("[role=alert]", "torch.onnx.export");
    expect(!(await page.$(".before")), "settings are offered for what is no model");
    await accessible("a file that is no model");
    await picture("no-model");
  },
  async "a part of a model"() {
    await take("partly.onnx");
    await says(".verdict.bad", "in the way of a blob");
    await press("Convert the part that can be", "button");
    await exists(".downloads a");
    await says(".downloads", "Model behind the blob");
  },
  async "cancelled"() {
    await take("long.onnx");
    await press("Convert", "button[type=submit]");
    await exists(".running progress");
    await picture("running");
    await press("Cancel");
    await says(".verdict", "Cancelled");
  },
  async "a model of the zoo"() {
    await page.goto(`${url}#/zoo`);
    await exists(".zoo li");
    await accessible("the zoo");
    await picture("zoo");
    await press("Take", ".zoo button");
    await exists(".before");
    await converted();
  },
  async "a blob alone"() {
    await home();
    await choose("model.blob");
    await exists(".stages [role=option]");
  },
  async "the page of the API"() {
    await page.goto(`${url}#/api`);
    await says("h1", "API");
    await accessible("the page of the API");
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  if (failed > 2) break; // the others would wait in vain
  faults.length = 0;
  const begin = Date.now();
  try {
    await step();
    expect(!faults.length, faults.join("; "));
    console.log(`ok ${name} (${Date.now() - begin} ms)`);
  } catch (e) {
    ++failed;
    console.log(`FAILED ${name}: ${e.message}\n    at ${page.url()}: ${(await page.$eval("main", (m) => m.innerText).catch(() => "")).slice(0, 400)}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
