import { render } from "preact";
import { registerToolkit } from "../components/toolkit";
import { App } from "./app";
import type { PageApi } from "../components/pageHost";
import { Host } from "./host";
import "uplot/dist/uPlot.min.css";
import "../components/base.css";
import "../components/controls.css";
import "./styles/page.css";
import "./styles/table.css";
import "./styles/detail.css";
import "./styles/map.css";

declare function acquireVsCodeApi(): PageApi;

registerToolkit();
const api = acquireVsCodeApi();
const root = document.getElementById("root");
if (root !== null) render(<App api={api} host={new Host(api)} />, root);
