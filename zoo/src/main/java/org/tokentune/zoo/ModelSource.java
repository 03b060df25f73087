package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.formats.ModelFiles;

/** Where a model's files come from, and which of them are on this machine. */
public sealed interface ModelSource
    permits OnnxModel, BundleModel, Llama2cModel, HubModel, UrlModel {

  /** A word for the kind of place and the address there, e.g. {@code hub gpt2@main}. */
  String origin();

  /** Owner and name on Hugging Face's hub; null where the model has none there. */
  String repository();

  /** Whether everything is on this machine; asks nobody. */
  boolean isLocal();

  /**
   * Downloads files that are missing, incomplete, damaged or have changed since.
   *
   * @return its folder or file
   * @throws org.tokentune.BadInputException if it cannot be had
   */
  Path fetch(DownloadListener listener);

  /** Opens the model, and downloads files that are missing. Close the result. */
  ModelFiles open(DownloadListener listener);

  /** The configuration alone; downloads only its file if it is missing. */
  JsonNode config(DownloadListener listener);

  /**
   * Computes all checksums again.
   *
   * @return a line for every file: its SHA-256, size and path
   * @throws org.tokentune.BadInputException if a file has changed or is missing
   */
  List<String> verify();

  /**
   * Deletes the files on this machine.
   *
   * @return the deleted folder or file
   * @throws org.tokentune.BadInputException if there is nothing, or it must stay
   */
  Path remove();
}
