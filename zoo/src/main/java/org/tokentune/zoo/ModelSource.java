package org.tokentune.zoo;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.formats.ModelFiles;

/** Where a model's files come from, and what of them is on this machine. */
public sealed interface ModelSource permits OnnxModel, BundleModel, HubModel, UrlModel {

  /** A word for the kind of place and the address there, e.g. {@code hub gpt2@main}. */
  String origin();

  /** Owner and name on Hugging Face's hub; null where the model has none there. */
  String repository();

  /** Whether everything is on this machine; asks nobody. */
  boolean isLocal();

  /**
   * Brings to this machine what is not there, whole and with the right checksums, or changed since.
   *
   * @return where it lies
   * @throws org.tokentune.BadInputException if it cannot be had
   */
  Path fetch(DownloadListener listener);

  /** Opens the model; what is not on this machine is fetched. Close the result. */
  ModelFiles open(DownloadListener listener);

  /** The configuration alone; of what is not on this machine no more is fetched than it needs. */
  JsonNode config(DownloadListener listener);

  /**
   * Computes all checksums again.
   *
   * @return a line for every file: its SHA-256, size and path
   * @throws org.tokentune.BadInputException if a file is not what it was, or is not here
   */
  List<String> verify();

  /**
   * Deletes what is on this machine.
   *
   * @return what was deleted
   * @throws org.tokentune.BadInputException if there is nothing, or it must stay
   */
  Path remove();
}
