package org.tokentune.zoo;

/** Is told how downloads go on. */
public interface DownloadListener {

  /** Does not listen. */
  DownloadListener NONE = (file, received, total) -> {};

  /**
   * Called often.
   *
   * @param file its name
   * @param received bytes that are here, with those of an earlier, interrupted download
   * @param total bytes of the file; -1 where the server does not say
   */
  void onProgress(String file, long received, long total);
}
