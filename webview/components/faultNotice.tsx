import type { JSX } from "preact";
import type { PlainFault } from "../../src/shared/fault";
import { Icon } from "./icons";
import { Button } from "./toolkit";
import { WORDS } from "./words";

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
        {onRetry !== undefined && <Button onClick={onRetry}>{WORDS.retry}</Button>}
        <button type="button" class="link-button" onClick={onShowLog}>{WORDS.showLog}</button>
        {onDismiss !== undefined && (
          <button type="button" class="icon-button" title={WORDS.dismiss} aria-label={WORDS.dismiss} onClick={onDismiss}><Icon name="close" /></button>
        )}
      </div>
    </div>
  );
}
