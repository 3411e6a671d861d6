// Addresses: hand-made pages first, then every resource that describe names.
import { createRouter, createWebHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: '/today' },
    { path: '/signin', component: () => import('./pages/SignIn.vue') },
    { path: '/today', component: () => import('./pages/Today.vue') },
    { path: '/alarms/:id(\\d+)?', component: () => import('./pages/Alarms.vue'), props: true },
    { path: '/cases/:id(\\d+)', component: () => import('./pages/Case.vue'), props: true },
    { path: '/devices/:id(\\d+)', component: () => import('./pages/Device.vue'), props: true },
    { path: '/charts', component: () => import('./pages/Charts.vue') },
    { path: '/lines/:id(\\d+)', component: () => import('./pages/Line.vue'), props: true },
    { path: '/:resource/new', component: () => import('./pages/Form.vue'), props: true },
    { path: '/:resource/:id(\\d+)/edit', component: () => import('./pages/Form.vue'), props: true },
    { path: '/:resource/:id(\\d+)?', component: () => import('./pages/List.vue'), props: true }
  ]
})
