import { render } from "preact";
import type { PageApi } from "../components/pageHost";
import { registerToolkit } from "../components/toolkit";
import { App } from "./app";
import { WizardHost } from "./host";
import "uplot/dist/uPlot.min.css";
import "../components/base.css";
import "../components/controls.css";
import "./styles/page.css";
import "./styles/fields.css";
import "./styles/layers.css";
import "./styles/runs.css";

declare function acquireVsCodeApi(): PageApi;

registerToolkit();
const api = acquireVsCodeApi();
const root = document.getElementById("root");
if (root !== null) render(<App api={api} host={new WizardHost(api)} />, root);
