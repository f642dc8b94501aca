import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../src/shared/fault";
import type { OpenedModel } from "../../src/shared/protocol";
import type { Progress } from "../../src/shared/report";
import type { Host } from "./host";
import { asFault } from "../components/pageHost";
import { Throttle } from "../components/throttle";

/** What is on the screen is asked for again at most this often while an analysis runs. Milliseconds. */
const REFRESH_EVERY = 250;

export interface ReportState {
  /** null until the header is read. */
  readonly opened: OpenedModel | null;
  readonly progress: Progress | null;
  /** Why the model could not be opened. */
  readonly fault: PlainFault | null;
  /** Counts up when measures may have come: what is shown is asked for again. */
  readonly revision: number;
  /** Counts up when the model itself may be another: nothing that was fetched holds. */
  readonly generation: number;
  readonly reopen: () => void;
}

/** The model and where its analysis stands: asked for at first, when the page is shown again and when the host says so. */
export function useReport(host: Host): ReportState {
  const [opened, setOpened] = useState<OpenedModel | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [fault, setFault] = useState<PlainFault | null>(null);
  const [revision, setRevision] = useState(0);
  const [generation, setGeneration] = useState(0);
  const asked = useRef(0);

  const actions = useMemo(() => {
    const refresh = new Throttle(() => setRevision((count) => count + 1), REFRESH_EVERY);
    const open = async (another: boolean): Promise<void> => {
      const request = ++asked.current;
      try {
        const model = await host.request("open", null);
        if (request !== asked.current) return;
        setOpened(model);
        setProgress(model.progress);
        setFault(null);
        if (another) setGeneration((count) => count + 1);
        else refresh.call();
      } catch (error) {
        if (request === asked.current) setFault(asFault(error));
      }
    };
    return { refresh, open, reopen: () => void open(true) };
  }, [host]);

  useEffect(() => {
    const subscriptions = [
      host.onProgress((news) => {
        setProgress(news);
        actions.refresh.call();
      }),
      host.onChanged(actions.reopen),
    ];
    const onVisibility = (): void => {
      // Progress that was told to a hidden page is lost.
      if (document.visibilityState === "visible") void actions.open(false);
    };
    document.addEventListener("visibilitychange", onVisibility);
    void actions.open(false);
    return () => {
      subscriptions.forEach((end) => end());
      document.removeEventListener("visibilitychange", onVisibility);
      actions.refresh.stop();
    };
  }, [host]);

  return { opened, progress, fault, revision, generation, reopen: actions.reopen };
}
