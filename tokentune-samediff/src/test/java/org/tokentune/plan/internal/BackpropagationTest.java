package org.tokentune.plan.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.tokentune.BadInputException;
import org.tokentune.GoldenModel;
import org.tokentune.Quiet;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.ModelGraph;
import org.tokentune.ops.KernelMode;

class BackpropagationTest {

  /** Stock SameDiff's gradient graph has the same ops, on the same values, in the same order. */
  @ParameterizedTest
  @MethodSource("org.tokentune.GoldenModel#families")
  void addsTheOpsOfStockSameDiff(String family) {
    for (KernelMode mode : KernelMode.values()) {
      for (boolean selected : new boolean[] {false, true}) {
        ModelGraph own = build(family, mode, selected);
        Map<String, String> gradients = Backpropagation.add(own.sd(), own.trainable());
        ModelGraph stock = build(family, mode, selected);
        Quiet.run(() -> stock.sd().createGradFunction(stock.trainable().toArray(new String[0])));
        SameDiff grad = stock.sd().getFunction("grad");
        Map<String, String> expected = new LinkedHashMap<>();
        stock.trainable().forEach(name -> expected.put(name, grad.getGradForVariable(name).name()));
        List<String> ops = ops(own.sd(), gradients);
        assertEquals(ops(grad, expected), ops);
        System.out.printf(
            "%s, %s, %s: the same %d ops%n",
            family, mode, selected ? "some tokens" : "all tokens", ops.size());
      }
    }
  }

  private static ModelGraph build(String family, KernelMode mode, boolean selected) {
    GoldenModel golden = GoldenModel.of(family);
    GraphOptions options = GraphOptions.training(selected, name -> true).withKernelMode(mode);
    return golden.model().build(golden.parameters(), options);
  }

  /** The ops that the gradients need, with their arguments and the numbers of their inputs. */
  private static List<String> ops(SameDiff sd, Map<String, String> gradients) {
    Set<String> needed = needed(sd, gradients.values());
    Map<String, Integer> numbers = new HashMap<>();
    List<String> ops = new ArrayList<>();
    for (SameDiffOp op : sd.getOps().values()) {
      if (needed.contains(op.getName())) {
        List<String> inputs =
            op.getInputsToOp().stream()
                .map(name -> numbers.containsKey(name) ? "#" + numbers.get(name) : leaf(sd, name))
                .toList();
        op.getOutputsOfOp().forEach(name -> numbers.put(name, numbers.size()));
        ops.add(op.getOp().opName() + inputs + Arrays.toString(arguments(op)));
      }
    }
    gradients.forEach((name, gradient) -> ops.add(name + ": #" + numbers.get(gradient)));
    return ops;
  }

  private static Object[] arguments(SameDiffOp op) {
    return op.getOp() instanceof org.nd4j.linalg.api.ops.DynamicCustomOp custom
        ? new Object[] {
          Arrays.toString(custom.iArgs()),
          Arrays.toString(custom.tArgs()),
          Arrays.toString(custom.bArgs())
        }
        : new Object[0];
  }

  private static String leaf(SameDiff sd, String name) {
    SDVariable variable = sd.getVariable(name);
    boolean scalar = variable.getArr() != null && variable.getArr().isScalar();
    return scalar && variable.dataType() == DataType.FLOAT
        ? String.valueOf(variable.getArr().getFloat(0))
        : name;
  }

  private static Set<String> needed(SameDiff sd, Collection<String> values) {
    Set<String> ops = new HashSet<>();
    Deque<String> open = new ArrayDeque<>(values);
    while (!open.isEmpty()) {
      String op = sd.getVariables().get(open.remove()).getOutputOfOp();
      if (op != null && ops.add(op)) {
        open.addAll(sd.getOps().get(op).getInputsToOp());
      }
    }
    return ops;
  }

  @Test
  void namesWhatTheLossDoesNotDependOn() {
    SameDiff sd = SameDiff.create();
    SDVariable used = sd.var("used", DataType.FLOAT, 2);
    sd.var("unused", DataType.FLOAT, 2);
    used.sum().markAsLoss();
    String message =
        assertThrows(
                BadInputException.class, () -> Backpropagation.add(sd, List.of("used", "unused")))
            .getMessage();
    assertTrue(message.contains("unused"), message);
  }
}
