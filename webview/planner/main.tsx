import { render } from "preact";
import type { PageApi } from "../components/pageHost";
import { registerToolkit } from "../components/toolkit";
import { App } from "./app";
import { PlannerHost } from "./host";
import "../components/base.css";
import "../components/controls.css";
import "./styles/page.css";

declare function acquireVsCodeApi(): PageApi;

registerToolkit();
const api = acquireVsCodeApi();
const root = document.getElementById("root");
if (root !== null) render(<App api={api} host={new PlannerHost(api)} />, root);
