import { render } from "preact";
import { registerToolkit } from "../components/toolkit";
import { App } from "./app";
import { Host, type PageApi } from "./host";
import "uplot/dist/uPlot.min.css";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/table.css";
import "./styles/detail.css";
import "./styles/map.css";

declare function acquireVsCodeApi(): PageApi;

registerToolkit();
const api = acquireVsCodeApi();
const root = document.getElementById("root");
if (root !== null) render(<App api={api} host={new Host(api)} />, root);
