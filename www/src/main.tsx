import { render } from "preact";
import { start } from "./app.ts";
import { App } from "./view/app.tsx";
import "./style/base.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
void start();
