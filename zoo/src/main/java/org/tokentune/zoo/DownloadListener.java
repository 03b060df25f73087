package org.tokentune.zoo;

import java.time.Duration;

/** Follows downloads. */
public interface DownloadListener {

  /** Ignores all events. */
  DownloadListener NONE = (file, received, total) -> {};

  /**
   * Called often during a download.
   *
   * @param file the file's name
   * @param received bytes received so far, including those of an earlier, interrupted download
   * @param total bytes of the file; -1 if unknown
   */
  void onProgress(String file, long received, long total);

  /**
   * Called before a failed request is repeated.
   *
   * @param file the file's name
   * @param reason why the request failed
   * @param attempt number of the failed attempt, from 1
   * @param pause time until the next attempt
   */
  default void onRetry(String file, String reason, int attempt, Duration pause) {}
}
