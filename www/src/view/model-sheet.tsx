import { useEffect, useState } from "preact/hooks";
import type { DevicePreference, ModelDescription } from "webreid";
import { jobs, model } from "../app.ts";
import { modelOf } from "../intake.ts";
import { BUILT_IN } from "../state/model.ts";
import { words } from "../words.ts";
import { FileButton } from "./file-button.tsx";
import { SaveModel } from "./save-model.tsx";
import { Sheet } from "./sheet.tsx";
import "../style/model.css";

const w = words.modelSheet;
const DEVICES: readonly DevicePreference[] = ["auto", "gpu", "cpu"];

/** The model that looks at the photos: which it is, where it runs, and how to have another. */
export function ModelSheet() {
  const { description, source, error } = model;
  const isLoading = jobs.all.value.some(({ about }) => about === "model");
  const { architecture } = description.value ?? {};
  // What went wrong was read; the model before is still in use.
  useEffect(
    () => () => {
      if (model.isReady.peek()) model.error.value = "";
    },
    [],
  );
  return (
    <Sheet title={w.title}>
      <p>{w.lead}</p>
      <section class="model-now">
        <p class="model-name">{architecture ? source.value.name : isLoading ? words.app.modelLoading : w.noneYet}</p>
        {source.value.learnt && <p class="note">{w.learnt(source.value.learnt.times)}</p>}
        {isLoading && architecture && <p class="note">{w.loading}</p>}
        {error.value && (
          <p class="error" role="alert">
            {error.value}
          </p>
        )}
        <Device />
        <div class="row">
          {model.wanting.value && !isLoading && (
            <button type="button" class="primary" onClick={() => void model.retry()}>
              {words.app.again}
            </button>
          )}
          {source.value !== BUILT_IN && (
            <button type="button" onClick={() => void model.load(BUILT_IN)}>
              {w.builtIn}
            </button>
          )}
          {architecture && <SaveModel />}
        </div>
      </section>
      <Another />
      {description.value && <Details {...description.value} />}
    </Sheet>
  );
}

function Device() {
  return (
    <div class="model-device">
      <label for="device">{w.runsOn}</label>
      <select
        id="device"
        aria-describedby="device-reason"
        value={model.device.value}
        onChange={({ currentTarget }) => void model.setDevice(currentTarget.value as DevicePreference)}
      >
        {DEVICES.map((device) => (
          <option key={device} value={device}>
            {w.devices[device]}
          </option>
        ))}
      </select>
      <p id="device-reason" class="note">
        {model.deviceReason.value}
      </p>
    </div>
  );
}

function Another() {
  const [address, setAddress] = useState("");
  const [isBad, setBad] = useState(false);
  return (
    <section class="model-another" aria-labelledby="another-heading">
      <h3 id="another-heading">{w.another}</h3>
      <p class="note">{w.anotherNote}</p>
      <FileButton
        label={w.choose}
        accept=".safetensors,.pth,.pt,.tar,.onnx,.xml,.bin"
        isMultiple
        onFiles={(files) => {
          const chosen = modelOf(files);
          if (chosen) void model.loadFile(chosen);
        }}
      />
      <form
        class="model-address"
        onSubmit={(event) => {
          event.preventDefault();
          const url = addressOf(address.trim());
          setBad(!url);
          if (url) void model.loadFile(url);
        }}
      >
        <label for="model-address">{w.address}</label>
        <div class="row">
          <input
            id="model-address"
            class="grow"
            inputMode="url"
            autoComplete="off"
            spellcheck={false}
            placeholder="https://"
            aria-invalid={isBad}
            aria-describedby={isBad ? "bad-address" : undefined}
            value={address}
            onInput={({ currentTarget }) => setAddress(currentTarget.value)}
          />
          <button type="submit">{w.load}</button>
        </div>
        {isBad && (
          <p id="bad-address" class="error" role="alert">
            {w.badAddress}
          </p>
        )}
      </form>
    </section>
  );
}

/** For those who know the field: what was found in the file, what was not, and where it runs. */
function Details(of: ModelDescription) {
  const lines: readonly (readonly [string, string | readonly string[] | undefined])[] = [
    [w.architecture, of.architecture],
    [w.dialect, of.dialect],
    [w.summary, of.summary],
    [w.feature, w.numbers(of.featureDim)],
    [w.parameters, w.numbers(of.parameters)],
    [w.input, w.inputOf(of.inputWidth, of.inputHeight, of.filter, of.fit === "stretch" ? w.stretch : w.letterbox)],
    [w.computedOn, w.computedOnOf(of.adapter, of.precision)],
    [w.why, of.deviceReason],
    [w.fallback, of.fallback],
    [w.assumed, of.assumed],
    [w.missing, of.missing],
    [w.unexpected, of.unexpected],
    [w.licence, w.licenceOf(of.licence)],
    [w.fingerprint, of.fingerprint],
  ];
  return (
    <details class="model-details">
      <summary>{w.details}</summary>
      <dl>
        {lines.map(([title, text]) =>
          text && text.length > 0 ? (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{typeof text === "string" ? text : text.join(title === w.assumed ? " " : ", ")}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </details>
  );
}

function addressOf(text: string): URL | undefined {
  if (!text || !URL.canParse(text, location.href)) return undefined;
  const url = new URL(text, location.href);
  return url.protocol === "https:" || url.origin === location.origin ? url : undefined;
}
