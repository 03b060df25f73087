package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.RelatedTexts;
import org.tokentune.objectives.EmbeddingLoss;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.EmbeddingModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.Hyperparameters;
import picocli.CommandLine.Option;

/** Options for the loss of vectors of texts. */
final class EmbeddingOptions {

  @Option(
      names = "--loss",
      paramLabel = "ranking|cosent|cosine|triplet",
      description = {
        "For embed. ranking: the positive before all other texts of the batch; cosent, cosine: cosines",
        "like scores; triplet: the positive nearer than the negative. Default: cosent for pairs with",
        "scores, otherwise ranking."
      })
  private EmbeddingLoss.Kind kind;

  @Option(
      names = "--scale",
      paramLabel = "FACTOR",
      description = "Factor of cosines in ranking and cosent; default 20.")
  private Double scale;

  @Option(
      names = "--symmetric",
      description = "Ranking: also each anchor before all other anchors of the batch.")
  private boolean symmetric;

  @Option(
      names = "--margin",
      paramLabel = "DISTANCE",
      description = "By how much the positive is to be nearer in triplet; default 5.")
  private Double margin;

  @Option(
      names = "--matryoshka",
      paramLabel = "N,N,...",
      split = ",",
      hideParamSyntax = true,
      description = {
        "Sizes to which vectors are cut, such as 384,128,64: the losses of all of them are added up."
      })
  private List<Integer> dimensions = List.of();

  @Option(
      names = "--query-prompt",
      paramLabel = "NAME|TEXT",
      description = {
        "Put one of the model's prompts, or this text, before every anchor, in training and scoring;",
        "default: none, even if the model has a default prompt."
      })
  private String queryPrompt;

  @Option(
      names = "--document-prompt",
      paramLabel = "NAME|TEXT",
      description = "The same before positives and negatives.")
  private String documentPrompt;

  @Option(
      names = "--micro-batch",
      paramLabel = "N",
      description = {
        "Texts of a batch that run at a time, with the gradients of the whole batch (GradCache): for",
        "batches of hundreds of rows. Default: all of them."
      })
  private Integer microBatch;

  /** The settings with the texts that run at a time. */
  TuningSettings over(TuningSettings settings) {
    if (microBatch != null && microBatch < 1) {
      throw new BadSettingsException("--micro-batch must be at least 1, got %d.", microBatch);
    }
    Hyperparameters hyperparameters = settings.hyperparameters();
    return microBatch == null
        ? settings
        : settings.withHyperparameters(
            hyperparameters.withMemory(hyperparameters.memory().withMicroBatch(microBatch)));
  }

  private boolean given() {
    return kind != null
        || microBatch != null
        || scale != null
        || symmetric
        || margin != null
        || !dimensions.isEmpty()
        || queryPrompt != null
        || documentPrompt != null;
  }

  /** Rejects the options for other tasks. */
  void check(Task task) {
    if (task.objective() != Objectives.EMBED && given()) {
      throw new BadSettingsException(
          "--loss, --scale, --symmetric, --margin, --matryoshka, --query-prompt, --document-prompt"
              + " and --micro-batch are for the task embed, not for %s.",
          task.name());
    }
    if (scale != null
        && kind != null
        && kind != EmbeddingLoss.Kind.RANKING
        && kind != EmbeddingLoss.Kind.COSENT) {
      throw new BadSettingsException("--scale is for ranking and cosent, not for %s.", kind);
    }
    if (margin != null && kind != EmbeddingLoss.Kind.TRIPLET) {
      throw new BadSettingsException("--margin is for --loss triplet; leave it out.");
    }
  }

  /** The loss for some rows. */
  EmbeddingLoss loss(List<RelatedTexts> rows) {
    int columns = rows.get(0).texts().size();
    EmbeddingLoss.Kind used = kind;
    if (used == null) {
      used =
          columns == 2 && RelatedTexts.areScored(rows)
              ? EmbeddingLoss.Kind.COSENT
              : EmbeddingLoss.Kind.RANKING;
    }
    EmbeddingLoss loss = EmbeddingLoss.of(used, columns).withSymmetric(symmetric);
    loss = scale == null ? loss : loss.withScale(scale);
    loss = margin == null ? loss : loss.withMargin(margin);
    return loss.withDimensions(dimensions);
  }

  /** Puts the prompts before the texts of a model. */
  void putPrompts(EmbeddingModel model) {
    model.setPrompts(queryPrompt, documentPrompt);
  }

  void put(ObjectNode result) {
    result.put("embedding_loss", kind == null ? null : kind.toString());
    dimensions.forEach(result.putArray("matryoshka")::add);
  }
}
