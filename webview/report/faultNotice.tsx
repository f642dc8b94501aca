import type { JSX } from "preact";
import { Icon } from "../components/icons";
import { Button } from "../components/toolkit";
import type { PlainFault } from "../../src/shared/fault";
import { TEXT } from "./strings";

interface FaultNoticeProps {
  readonly fault: PlainFault;
  readonly onShowLog: () => void;
  readonly onRetry?: () => void;
  readonly onDismiss?: () => void;
}

/** What is wrong, and what to do next. */
export function FaultNotice({ fault, onShowLog, onRetry, onDismiss }: FaultNoticeProps): JSX.Element {
  return (
    <div class="fault" role="alert">
      <Icon name="error" class="fault-icon" />
      <p>
        <bdi>{fault.message}</bdi> {fault.next !== "" && <bdi class="next">{fault.next}</bdi>}
      </p>
      <div class="fault-actions">
        {onRetry !== undefined && <Button onClick={onRetry}>{TEXT.retry}</Button>}
        <button type="button" class="link-button" onClick={onShowLog}>{TEXT.showLog}</button>
        {onDismiss !== undefined && (
          <button type="button" class="icon-button" title={TEXT.dismiss} aria-label={TEXT.dismiss} onClick={onDismiss}><Icon name="close" /></button>
        )}
      </div>
    </div>
  );
}
