(** What the exported claims lean on: a few lemmas about roots and signs, and three short tactics.

    Nothing is assumed here beyond Coq's own real numbers; every lemma is proved. *)

Require Import Reals Lra Psatz.
Open Scope R_scope.

(** ** Roots and absolute values *)

Lemma root_of : forall f, 0 <= f -> exists w, sqrt f = w /\ 0 <= w /\ w * w = f.
Proof. intros f Hf. exists (sqrt f). auto using sqrt_pos, sqrt_sqrt. Qed.

Lemma positive_root_of : forall f, 0 < f -> exists w, sqrt f = w /\ 0 < w /\ w * w = f.
Proof. intros f Hf. exists (sqrt f). auto using sqrt_lt_R0, sqrt_sqrt, Rlt_le. Qed.

Lemma square_of : forall x, 0 <= x -> exists g, 0 <= g /\ g * g = x.
Proof. intros x Hx. exists (sqrt x). auto using sqrt_pos, sqrt_sqrt. Qed.

Lemma positive_square_of : forall x, 0 < x -> exists g, 0 < g /\ g * g = x.
Proof. intros x Hx. exists (sqrt x). auto using sqrt_lt_R0, sqrt_sqrt, Rlt_le. Qed.

Lemma absolute_of : forall f, exists h, Rabs f = h /\ 0 <= h /\ h * h = f * f.
Proof. intro f. exists (Rabs f). repeat split; [apply Rabs_pos | exact (eq_sym (Rsqr_abs f))]. Qed.

(** The root of [a] is [e], since [e] is not negative and its square is [a]. *)
Lemma root_is : forall a e, 0 <= e -> e * e = a -> sqrt a = e.
Proof. intros a e He <-. now apply sqrt_square. Qed.

Lemma absolute_is : forall a e, 0 <= e -> e * e = a * a -> Rabs a = e.
Proof. intros a e He H. rewrite <- sqrt_Rsqr_abs. now apply root_is. Qed.

Lemma radicand_not_negative : forall a e, e * e = a -> 0 <= a.
Proof. intros a e <-. apply Rle_0_sqr. Qed.

Lemma radicand_positive : forall a e, e * e = a -> e <> 0 -> 0 < a.
Proof. intros a e <- H. now apply Rlt_0_sqr. Qed.

Lemma root_not_zero : forall w f, w * w = f -> f <> 0 -> w <> 0.
Proof. intros w f H Hf ->. apply Hf. rewrite <- H. apply Rmult_0_l. Qed.

Lemma at_most_one : forall g, 0 <= g -> g * g <= 1 -> 0 <= 1 - g.
Proof. intros g Hg H. destruct (Rle_or_lt g 1) as [Hl|Hl]; [lra|]. assert (1 * 1 < g * g) by (apply Rmult_gt_0_lt_compat; lra). lra. Qed.

Lemma below_one : forall g, 0 <= g -> g * g < 1 -> 0 < 1 - g.
Proof. intros g Hg H. destruct (Rlt_or_le g 1) as [Hl|Hl]; [lra|]. assert (1 * 1 <= g * g) by (apply Rmult_le_compat; lra). lra. Qed.

Lemma at_least_one : forall g, 0 <= g -> 1 <= g * g -> 0 <= g - 1.
Proof. intros g Hg H. destruct (Rle_or_lt 1 g) as [Hl|Hl]; [lra|]. assert (g * g < 1 * 1) by (apply Rmult_le_0_lt_compat; lra). lra. Qed.

Lemma above_one : forall g, 0 <= g -> 1 < g * g -> 0 < g - 1.
Proof. intros g Hg H. destruct (Rlt_or_le 1 g) as [Hl|Hl]; [lra|]. assert (g * g <= 1 * 1) by (apply Rmult_le_compat; lra). lra. Qed.

(** ** Signs *)

(** [a - b] has the sign of [a * a - b * b] where neither is negative. *)
Lemma by_squares : forall a b gap, 0 <= a -> 0 <= b -> a * a - b * b = gap -> 0 <= gap -> 0 <= a - b.
Proof.
  intros a b gap Ha Hb <- H. destruct (Rle_or_lt b a) as [Hl|Hl]; [lra|].
  assert (a * a < b * b) by (apply Rmult_le_0_lt_compat; assumption). lra.
Qed.

Lemma by_squares_strictly : forall a b gap, 0 <= a -> 0 <= b -> a * a - b * b = gap -> 0 < gap -> 0 < a - b.
Proof.
  intros a b gap Ha Hb <- H. destruct (Rlt_or_le b a) as [Hl|Hl]; [lra|].
  assert (a * a <= b * b) by (apply Rmult_le_compat; assumption). lra.
Qed.

Lemma by_discriminant : forall a b c x gap,
  0 < a -> 4 * a * c - b * b = gap -> 0 <= gap -> 0 <= a * (x * x) + b * x + c.
Proof.
  intros a b c x gap Ha <- H. apply (Rmult_le_reg_l (4 * a)); [lra|]. rewrite Rmult_0_r.
  replace (4 * a * (a * (x * x) + b * x + c)) with ((2 * a * x + b)^2 + (4 * a * c - b * b)) by ring.
  apply Rplus_le_le_0_compat; [apply pow2_ge_0 | exact H].
Qed.

Lemma by_discriminant_strictly : forall a b c x gap,
  0 < a -> 4 * a * c - b * b = gap -> 0 < gap -> 0 < a * (x * x) + b * x + c.
Proof.
  intros a b c x gap Ha <- H. apply (Rmult_lt_reg_l (4 * a)); [lra|]. rewrite Rmult_0_r.
  replace (4 * a * (a * (x * x) + b * x + c)) with ((2 * a * x + b)^2 + (4 * a * c - b * b)) by ring.
  apply Rplus_le_lt_0_compat; [apply pow2_ge_0 | exact H].
Qed.

Lemma by_gap : forall a b gap, b - a = gap -> 0 <= gap -> a <= b.
Proof. intros a b gap <- H. lra. Qed.

Lemma by_gap_strictly : forall a b gap, b - a = gap -> 0 < gap -> a < b.
Proof. intros a b gap <- H. lra. Qed.

Lemma gap_of : forall a b, a <= b -> 0 <= b - a.
Proof. intros a b H. lra. Qed.

Lemma gap_of_strictly : forall a b, a < b -> 0 < b - a.
Proof. intros a b H. lra. Qed.

Lemma not_negative_as : forall a b, 0 <= a -> b = a -> 0 <= b.
Proof. now intros a b H ->. Qed.

Lemma positive_as : forall a b, 0 < a -> b = a -> 0 < b.
Proof. now intros a b H ->. Qed.

Lemma not_zero_as : forall a b, a <> 0 -> a = b -> b <> 0.
Proof. now intros a b H <-. Qed.

Lemma not_zero_if_positive : forall a, 0 < a -> a <> 0.
Proof. intros a H. lra. Qed.

Lemma not_zero_if_negative : forall a b, 0 < b -> b = - a -> a <> 0.
Proof. intros a b H E. lra. Qed.

Lemma positive_if : forall a, 0 <= a -> a <> 0 -> 0 < a.
Proof. intros a H N. destruct H as [H|H]; [exact H | now elim N]. Qed.

Lemma even_is_not_negative : forall a n, Nat.even n = true -> 0 <= a ^ n.
Proof. intros a n H. apply Nat.even_spec in H. destruct H as [k ->]. rewrite pow_mult. apply pow_le, pow2_ge_0. Qed.

Lemma even_is_positive : forall a n, Nat.even n = true -> a <> 0 -> 0 < a ^ n.
Proof. intros a n H N. apply positive_if; [now apply even_is_not_negative | now apply pow_nonzero]. Qed.

(** ** Three tactics: sums, products and powers of what is known to be positive, or not to be zero *)

Ltac not_negative :=
  first [assumption | apply Rlt_le; assumption | not_negative_by_its_parts]
with not_negative_by_its_parts :=
  lazymatch goal with
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; not_negative
  | |- 0 <= _ * _ => apply Rmult_le_pos; not_negative
  | |- 0 <= _ / _ => apply Rmult_le_pos; [not_negative | apply Rlt_le, Rinv_0_lt_compat; positive]
  | |- 0 <= _ ^ _ => first [apply even_is_not_negative; reflexivity | apply pow_le; not_negative]
  | |- _ => first [apply Rabs_pos | apply sqrt_pos | lra]
  end
with positive :=
  first [assumption | apply positive_if; assumption | positive_by_its_parts]
with positive_by_its_parts :=
  lazymatch goal with
  | |- 0 < _ + _ =>
      first
        [ apply Rplus_lt_le_0_compat; [positive | not_negative]
        | apply Rplus_le_lt_0_compat; [not_negative | positive] ]
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; positive
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; positive
  | |- 0 < _ ^ _ => first [apply pow_lt; positive | apply even_is_positive; [reflexivity | not_zero]]
  | |- _ => lra
  end
with not_zero :=
  first [assumption | not_zero_by_its_parts]
with not_zero_by_its_parts :=
  lazymatch goal with
  | |- _ * _ <> 0 => apply Rmult_integral_contrapositive_currified; not_zero
  | |- _ ^ _ <> 0 => apply pow_nonzero; not_zero
  | |- _ / _ <> 0 => unfold Rdiv; apply Rmult_integral_contrapositive_currified; [not_zero | apply Rinv_neq_0_compat; not_zero]
  | |- _ =>
      first
        [ apply not_zero_if_positive; assumption
        | lra
        | multimatch goal with
          | H : ?a <> 0 |- ?b <> 0 => apply (not_zero_as a b H); ring
          | H : ?a <> 0 |- ?b <> 0 => apply (not_zero_as (- a) b (Ropp_neq_0_compat a H)); ring
          | H : 0 < ?a |- ?b <> 0 => apply (not_zero_as a b (not_zero_if_positive a H)); ring
          end ]
  end.

Ltac all_not_zero := repeat split; not_zero.
