"""What equations define, change and accumulate, checked by the assertions of small programs."""

import pytest
import torch

import tensorlogic as tl

PROGRAMS = {
    "host indices are item assignments": """
        let x = zeros([3])
        for i in 0..3 { x[i] += 1.0 }
        x[1] = 5.0
        assert_close(x, [1.0, 5.0, 1.0])
    """,
    "free indices on a tensor that no equation defined read the old values": """
        let x = tensor([1.0, 2.0, 3.0])
        x[i] = 2.0 * x[i] + i
        assert_close(x, [2.0, 5.0, 8.0])
        let A = zeros([2, 3])
        A[1, j] = x[j]
        assert_close(A, [[0.0, 0.0, 0.0], [2.0, 5.0, 8.0]])
    """,
    "accumulation starts from the identity": """
        let A: f32[2, 3] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        total[i] += A[i, j]
        product[i] *= A[i, j]
        largest[j] max= A[i, j]
        smallest min= A[i, j]
        assert_close(total, [6.0, 15.0])
        assert_close(product, [6.0, 120.0])
        assert_close(largest, [4.0, 5.0, 6.0])
        assert_close(smallest, 1.0)
    """,
    "what accumulates is reduced over the whole right side": """
        let A: f32[2, 3] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        let b: f32[2] = [1.0, 2.0]
        y[i] += A[i, j] + b[i]
        assert_close(y, [9.0, 21.0])
        let z[i] = A[i, j] + b[i]
        assert_close(z, [7.0, 17.0])
    """,
    "groups, the last one smaller": """
        let v: f32[5] = [1.0, -3.0, 2.0, 7.0, -5.0]
        top[a / 2] max= v[a]
        low[a / 2] min= v[a]
        sum_[a / 2] += v[a]
        prod_[a / 2] *= v[a]
        assert_close(top, [1.0, 7.0, -5.0])
        assert_close(low, [-3.0, 2.0, -5.0])
        assert_close(sum_, [-2.0, 9.0, -5.0])
        assert_close(prod_, [-3.0, 14.0, -5.0])
        let ids: int64[3] = [3, 1, 2]
        best[n / 2] max= ids[n]
        assert_eq(best, [3, 2])
    """,
    "places shift, turn round, stretch and repeat": """
        let v: f32[5] = [1.0, -3.0, 2.0, 7.0, -5.0]
        let back[a] = v[4 - a] where a in 0..5
        let steps[a] = v[a + 1] - v[a]
        let later[a] = v[a - 1] where a in 0..5
        let twice[a] = v[a / 2]
        let odd[a] = v[2 * a + 1]
        assert_close(back, [-5.0, 7.0, 2.0, -3.0, 1.0])
        assert_close(steps, [-4.0, 5.0, 5.0, -12.0])
        assert_close(later, [0.0, 1.0, -3.0, 2.0, 7.0])
        assert_close(twice, [1.0, 1.0, -3.0, -3.0, 2.0, 2.0, 7.0, 7.0, -5.0, -5.0])
        assert_close(odd, [-3.0, 7.0])
    """,
    "windows are convolutions": """
        seed(1)
        let (image, filter, v, k) = (randn([2, 3, 8, 9]), randn([4, 3, 3, 2]), randn([20]), randn([4]))
        let Y[n, o, x, y] = filter[o, c, dx, dy] image[n, c, x + dx, y + dy]
        assert_close(Y, conv2d(image, filter), 1e-4)
        let S[n, o, x, y] = filter[o, c, dx, dy] image[n, c, 2 * x + dx, 3 * y + dy]
        assert_close(S, conv2d(image, filter, stride: [2, 3]), 1e-4)
        let same[x] = k[d] v[x + d - 1] where x in 0..20
        assert_close(same, conv1d(pad(v, [1, 2]).reshape([1, 1, 23]), k.reshape([1, 1, 4]))[0, 0], 1e-4)
        let turned[x] = k[d] v[x - d] where x in 0..23
        assert_close(turned[3], k[0] * v[3] + k[1] * v[2] + k[2] * v[1] + k[3] * v[0], 1e-4)
    """,
    "recurrences along any axis": """
        let h: f32[2] = [1.0, 2.0]
        H[i, 0] = h[i]
        H[i, t + 1] = 2.0 * H[i, t] where t in 0..3
        assert_close(H, [[1.0, 2.0, 4.0, 8.0], [2.0, 4.0, 8.0, 16.0]])
        F[0] = 1.0
        F[n] = F[n - 1] * n where n in 0..5
        assert_close(F, [1.0, 1.0, 2.0, 6.0, 24.0])
        let s[i] = h[i]
        s[*t + 1, i] = s[*t, i] + t where t in 0..4
        assert_close(s, [7.0, 8.0])
    """,
    "an equation that reads what it writes runs to its fixpoint": """
        let d: f32[3, 3] = [[0.0, 1.0, 9.0], [9.0, 0.0, 2.0], [9.0, 9.0, 0.0]]
        let way[a, b] = d[a, b]
        way[a, b] min= way[a, c] + way[c, b]
        assert_close(way, [[0.0, 1.0, 3.0], [9.0, 0.0, 2.0], [9.0, 9.0, 0.0]])
        let A: f32[2, 2] = [[0.0, 0.5], [0.25, 0.0]]
        let P = eye(2)
        P[i, j] += A[i, k] P[k, j]
        assert_close(P, inverse(eye(2) - A), 1e-5)
    """,
    "a dot names the index that is normalized": """
        seed(1)
        let X = randn([2, 3, 4])
        let S[i, j., k] = softmax(X[i, j, k])
        assert_close(S, softmax(X, dim: 1))
        let N[i, j, k] = layer_norm[j, k](X[i, j, k])
        assert_close(N, layer_norm(X, [3, 4]), 1e-5)
        let both[i, j, k] = softmax[j, k](X[i, j, k])
        assert_close(sum(both, dim: [1, 2]), ones([2]), 1e-5)
    """,
    "functions of the program work element by element": """
        fn gelu_like(x: f32[...S]) -> f32[...S] { return x * sigmoid(1.7 * x) }
        let A: f32[2, 2] = [[1.0, 2.0], [3.0, 4.0]]
        let v: f32[2] = [1.0, -1.0]
        let y[i] = gelu_like(A[i, j] v[j])
        assert_close(y, gelu_like(A @ v))
        let m[i, j] = max(A[i, j], v[i] * 10.0)
        assert_close(m, [[10.0, 10.0], [3.0, 4.0]])
        let w[i, j] = where(A[i, j] > 2.0, A[i, j], v[j])
        assert_close(w, [[1.0, -1.0], [3.0, 4.0]])
    """,
    "relations are tensors and entities places": """
        entity person = {ann, bob, cy}
        relation parent(person, person)
        parent(ann, bob)
        parent(bob, cy)
        let W: f32[3] = [1.0, 2.0, 3.0]
        let y[i] = parent[i, j] * W[j]
        let q[k] = parent[ann, k] * 1.0
        assert_close(y, [2.0, 3.0, 0.0])
        assert_close(q, [0.0, 1.0, 0.0])
    """,
    "means of products": """
        let A: f32[2, 3] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        let m[i] = mean[j](A[i, j] A[i, j])
        assert_close(m, mean(A * A, dim: 1))
        let many[i] = A[i, j] A[i, j] A[i, j] A[i, j] A[i, j] A[i, j] A[i, j] A[i, k] * 1.0
        assert_close(many, sum(A ** 7, dim: 1) * sum(A, dim: 1))
    """,
    "integers and bools count": """
        let A: int32[2, 2] = [[1, 2], [3, 4]]
        let m = A > 1
        let count[i] = m[i, j] * A[i, j]
        let both = m[i, j] * m[j, i]
        assert_eq(count, [2, 7])
        assert_eq(both, 3)
        let path[i, j] = any[k](m[i, k] and m[k, j])
        let sides[i] = m[i, j] and not m[j, 0]  // each side is summed for itself
        assert_eq(path, [[true, true], [true, true]])
        assert_eq(sides, [false, false])
    """,
    "a quotient in brackets is rounded down wherever it stands": """
        let v: f32[5] = [1.0, 2.0, 3.0, 4.0, 5.0]
        let ids: int64[3] = [0, 3, 6]
        const HALF = 4
        let a[x] = v[(x + 1) / 2] where x in 0..9
        let b[x] = v[2 * x / 3] where x in 0..7
        let c[x] = v[-(x / 2) + 4] where x in 0..4
        let d[n] = v[ids[n] / 2]
        let e[n] = v[ids[n] % 3 + HALF / 2]
        let outside[x] = v[x / 2] where x in 0..12
        let sums = zeros([3])
        sums[(x + 1) / 2] += v[x]
        assert_close(a, [1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0])
        assert_close(b, [1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0])
        assert_close(c, [5.0, 5.0, 4.0, 4.0])
        assert_close(d, [1.0, 2.0, 4.0])
        assert_close(e, [3.0, 3.0, 3.0])
        assert_close(outside, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 0.0, 0.0])
        assert_close(sums, [1.0, 5.0, 9.0])
    """,
    "places that go down have a range too": """
        let v: f32[5] = [1.0, 2.0, 3.0, 4.0, 5.0]
        fn turned(x: f32[N]) -> f32[N] {
            let y[i] = x[N - 1 - i]
            return y
        }
        let even[i] = v[4 - 2 * i]
        let inside[i] = v[i] * v[3 - i]
        assert_close(turned(v), [5.0, 4.0, 3.0, 2.0, 1.0])
        assert_close(even, [5.0, 3.0, 1.0])
        assert_close(inside, [4.0, 6.0, 6.0, 4.0])
    """,
    "items take the larger and the smaller": """
        let x: f32[3] = [1.0, 2.0, 3.0]
        let ids: int64[2] = [0, 2]
        x[ids] max= 2.5
        x[x > 2.2] min= 1.0
        assert_close(x, [1.0, 2.0, 1.0])
        x[0:2] max= 1.5
        assert_close(x, [1.5, 2.0, 1.0])
        let n = 3
        n max= 5
        assert_eq(n, 5)
    """,
    "nothing to accumulate leaves the identity": """
        fn largest(A: f32[N]) -> f32[] where N >= 0 {
            y max= A[i]
            return y
        }
        fn least(B: f32[V], A: f32[V, N, M]) -> f32[V] where N >= 0, M >= 0 {
            B[v] min= A[v, i, j]
            return B
        }
        assert largest(zeros([0])) < -1e38
        assert_close(largest(tensor([3.0, 1.0])), 3.0)
        assert_close(least(ones([2]), zeros([2, 0, 0])), [1.0, 1.0])
        assert_close(least(ones([2]), zeros([2, 1, 0])), [1.0, 1.0])
        assert_close(least(ones([2]), zeros([2, 1, 1])), [0.0, 0.0])
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    tl.compile("\n".join(line.removeprefix("        ") for line in PROGRAMS[name].splitlines())).run()


REFUSED = {
    "fn f(A: f32[N, M], B: f32[K, L]) -> f32[N, L] {\n let C[i, k] = A[i, j] B[j, k]\n return C\n}": "TL0401",
    "let A = ones([2, 3])\nlet y[i] = A[i, j]\ny[i] = A[i, j]": "TL0402",
    "let y[i] = 1.0 where i in 0..2, i in 0..3": "TL0401",
    "let A = ones([2, 2])\nlet s[i, j] = A[i, j]\ns[i, j] = s[i, k] A[k, j]": "TL0503",
    "let A = ones([2, 3])\nlet y[i, j.] = 2.0 * softmax(A[i, j])": "TL0404",
    "let A = ones([2])\nlet y[i, k] = A[i]": "TL0403",
    "let A = ones([2])\nlet y[i] = A[i - k]": "TL0403",
    "let A = ones([2, 3])\nlet b = ones([3])\nlet y[i] = (A[i, j] b[j] + b[j]) ** 2": "TL0404",
    "let W = ones([2, 3])\nlet rows = [W[0] W[1]]": "TL0404",
    "let A = ones([2, 3])\nlet y[i] = A[i]": "TL0304",
    "let A = ones([2, 3])\nlet y[i] = A[i, j] * A": "TL0304",
    "let A = ones([2])\nlet B = A.to(float64)\nlet y[i] = A[i] B[i]": "TL0302",
    "let A = ones([2, 3])\nlet y[i] = softmax(A[i, j])": "TL0308",
    "let A = ones([2, 3])\nlet y[i] = A[i, 5]": "TL0310",
    "let A = ones([2, 3])\nprint(sum[j](A[0, j]))": "TL0404",
    "let A = ones([2, 3])\nH[t + 1, i] = A[i, t] + H[t, i]": "TL0404",
    "let A = ones([2])\nlet y[i] = sum[k](A[i])": "TL0404",
    "let A = ones([2])\ny[i / 2] = A[i]": "TL0404",
    "let A = ones([2, 3])\nlet y = argmax[i, j](A[i, j])": "TL0404",
    "let A = ones([2, 3])\nlet y = max[i, j](A[i, j], A[i, j])": "TL0307",
    "let A = ones([2])\nG[0, i] = A[i]\nH[0, i] = A[i]\nG[t + 1, i] = G[t, i] + H[t, i]": "TL0404",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    found = [d.code for d in tl.check(text + "\n") if d.is_error]
    assert found and set(found) == {REFUSED[text]} or REFUSED[text] == "TL0308" and found, found


def test_gradients_flow_through_models_and_scans() -> None:
    program = tl.compile("""
model Cell(D: int, H: int) {
    param W: float64[H, H] = normal(0.5)
    param U: float64[H, D] = normal(0.5)
    fn forward(X: f64[T, D], h: f64[H]) -> f64[T + 1, H] {
        S[0, i] = h[i]
        S[t + 1, i] = tanh(W[i, j] S[t, j] + U[i, k] X[t, k])
        return S
    }
}
""")
    cell = program.Cell(3, 4)
    X, h = torch.randn(5, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64, requires_grad=True)
    cell(X, h).sum().backward()
    state, states = h, [h]
    for row in X:
        state = torch.tanh(cell.W @ state + cell.U @ row)
        states.append(state)
    wanted = torch.autograd.grad(torch.stack(states).sum(), [h, cell.W, cell.U])
    for got, want in zip((h.grad, cell.W.grad, cell.U.grad), wanted, strict=True):
        assert got is not None
        torch.testing.assert_close(got, want)


def test_what_equations_become() -> None:
    """The order of a product by its cost, and the operations of the library where there is one."""
    text = """
fn chain(A: f32[I, J], B: f32[J, K], C: f32[K, L], x: f32[L]) -> f32[I] {
    let y[i] = A[i, j] B[j, k] C[k, l] x[l]
    return y
}
fn attend(Q: f32[B, H, T, D], K: f32[B, H, S, D], V: f32[B, H, S, E]) -> f32[B, H, T, E] {
    let W[b, h, t, s] = softmax[s](Q[b, h, t, d] * K[b, h, s, d] / sqrt(D))
    let O[b, h, t, e] = W[b, h, t, s] V[b, h, s, e]
    return O
}
fn causal(Q: f32[B, T, D], K: f32[B, T, D], V: f32[B, T, D], M: f32[T, T]) -> f32[B, T, D] {
    let O[b, t, e] = softmax[s](where(s <= t, Q[b, t, d] K[b, s, d] / sqrt(D), -1e9)) * V[b, s, e]
    let P[b, t, e] = softmax[s](Q[b, t, d] K[b, s, d] / sqrt(D) + M[t, s]) * O[b, s, e]
    return P
}
fn filtered(I: f32[N, C, H, W], F: f32[O, C, 3, 3]) -> f32[N, O, ceil_div(H - 2, 2), ceil_div(W - 2, 2)] where H >= 3, W >= 3 {
    let found[n, o, x, y] = F[o, c, dx, dy] I[n, c, x + dx, y + dy]
    best[n, o, x / 2, y / 2] max= found[n, o, x, y]
    return best
}
"""
    program = tl.compile(text)
    assert "F.conv2d(" in program.python and "F.max_pool2d(" in program.python
    assert "torch.matmul(A, torch.matmul(B, torch.matmul(C, x)))" in program.python
    assert program.python.count("F.scaled_dot_product_attention") == 3 and "softmax(" not in program.python
    a, b, c, mask = *(torch.randn(2, 5, 4) for _ in range(3)), torch.randn(5, 5)
    past = torch.nn.functional.scaled_dot_product_attention(a, b, c, is_causal=True)
    want = torch.nn.functional.scaled_dot_product_attention(a, b, past, attn_mask=mask)
    torch.testing.assert_close(program.causal(a, b, c, mask), want)
