package org.tokentune.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The check finds plans that are broken on purpose, and nothing in those that are not. */
class PlanCheckTest {

  private static final String PROPERTY = "org.tokentune.plan.check";
  private static final Map<String, INDArray> INPUTS = Map.of("x", Nd4j.ones(4, 5));

  @BeforeEach
  void on() {
    System.setProperty(PROPERTY, "true");
  }

  @AfterEach
  void off() {
    System.clearProperty(PROPERTY);
  }

  /** {@code early} is written first and read last; the others come and go in between. */
  private static SameDiff graph() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.placeHolder("x", DataType.FLOAT, 4, 5);
    SDVariable early = sd.math().tanh(x).rename("early");
    SDVariable later = x.mmul(sd.constant(Nd4j.ones(5, 5))).rename("later");
    SDVariable last = later.mmul(sd.constant(Nd4j.ones(5, 5))).rename("last");
    last.add(early).rename("out");
    return sd;
  }

  /** Runs the graph on a plan whose lifetimes are those of other nodes. */
  private static void run(SameDiff sd, List<String> order, Change change) {
    OpList list = OpList.of(sd, List.of("out"), List.of());
    Shapes shapes = Shapes.of(list, Map.of("x", new long[] {4, 5}));
    Views views = Views.of(shapes.remaining(), shapes);
    List<Node> nodes = views.running();
    Layout layout = new Layout(change.of(nodes), views, shapes, Set.of("x"), Set.of("out"));
  }
}
